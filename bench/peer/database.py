"""The peer's own database beside ours, on the same server: tenants, people, applications."""

import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from joserfc.jwk import ECKey, RSAKey
from psycopg import sql

from bench.flows import CALLBACK, PEOPLE

_SCHEMA = Path(__file__).parent / "schema.sql"
_ROLE = _DATABASE = "bench_peer"


def prepare(superuser_url: str, slugs: list[str]) -> tuple[str, dict[str, str]]:
    """Where the program finds its database; the secrets of the applications."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(
                sql.Identifier(_ROLE), sql.Literal(password)
            )
        )
        connection.execute(f"create database {_DATABASE} owner {_ROLE}")
    address = urlsplit(superuser_url)
    url = urlunsplit(
        address._replace(
            netloc=f"{_ROLE}:{password}@{address.hostname}:{address.port}", path=f"/{_DATABASE}"
        )
    )
    known = {name: secrets.token_urlsafe(32) for name in _CLIENTS}
    with psycopg.connect(url) as connection:
        connection.execute(_SCHEMA.read_bytes())
        _fill(connection, slugs, known)
    return url, known


def _fill(
    connection: "psycopg.Connection[tuple[object, ...]]", slugs: list[str], known: dict[str, str]
) -> None:
    """Tenants, all with the same keys (making them is not measured); the first has the rest."""
    keys = json.dumps(
        [
            {**RSAKey.generate_key(2048).as_dict(private=True), "alg": "RS256", "use": "sig"},
            {**ECKey.generate_key("P-256").as_dict(private=True), "alg": "ES256", "use": "sig"},
        ]
    )
    clients = [
        {"client_id": name, "client_secret": known[name], **metadata}
        for name, metadata in _CLIENTS.items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into tenants (slug, keys, clients, cookie_keys) values (%s, %s, %s, %s)",
            [
                (
                    slug,
                    keys,
                    json.dumps(clients if slug == slugs[0] else []),
                    json.dumps([secrets.token_urlsafe(32)]),
                )
                for slug in slugs
            ],
        )
        cursor.executemany(
            "insert into accounts (tenant, id, username, email, display_name)"
            " values (%s, gen_random_uuid(), %s, %s, 'Ada')",
            [(slugs[0], name, f"{name}@bench.example") for name in PEOPLE],
        )


_FOR_PEOPLE: dict[str, object] = {
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
}
_CLIENTS: dict[str, dict[str, object]] = {
    "rs256": _FOR_PEOPLE,
    "es256": {**_FOR_PEOPLE, "id_token_signed_response_alg": "ES256"},
    "machine": {
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
    },
}
