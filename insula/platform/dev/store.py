"""The database of a development installation: its roles, its passwords, its schema."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from insula.platform import migrations
from insula.platform.dev.secrets import Remembered

_DATABASE = "insula"


@dataclass(frozen=True, slots=True)
class Urls:
    """How the roles reach the embedded database."""

    app: str
    platform: str
    owner: str


def prepare(superuser_url: str, remembered: Remembered) -> Urls:
    """The database with its roles, migrated; passwords are this installation's own."""
    address = superuser_url.rpartition("@")[2].partition("/")[0]

    def url(role: str, password: str) -> str:
        return f"postgresql://{role}:{quote(password)}@{address}/{_DATABASE}"

    urls = Urls(
        app=url("insula_app", remembered.app_password),
        platform=url("insula_platform", remembered.platform_password),
        owner=url("insula_owner", remembered.owner_password),
    )
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        _settle_role(connection, "insula_owner", remembered.owner_password, create=True)
        present = connection.execute(
            "select 1 from pg_database where datname = %s", (_DATABASE,)
        ).fetchone()
        if present is None:
            connection.execute(f"create database {_DATABASE} owner insula_owner")
        migrations.migrate(urls.owner)
        _settle_role(connection, "insula_app", remembered.app_password)
        _settle_role(connection, "insula_platform", remembered.platform_password)
    return urls


def _settle_role(
    connection: "psycopg.Connection[Any]", role: str, password: str, *, create: bool = False
) -> None:
    known = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
    if create and known is None:
        connection.execute(f"create role {role} login createrole")
    statement = sql.SQL("alter role {} login password {}").format(
        sql.Identifier(role), sql.Literal(password)
    )
    connection.execute(statement)
