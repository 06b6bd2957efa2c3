"""What every test may ask for: a migrated database of its own worker, the doors, and people."""

import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, wraps

import httpx2
import psycopg
import pytest
import structlog
from cluster import create_database, database_url
from people import Houses, KeyPool
from psycopg import sql
from serving import SECRETS_KEY, environment

from insula.accounts.hashing import Passwords
from insula.accounts.settings import Hashing
from insula.kernel import logs
from insula.kernel.crypto import Envelope, parse_key
from insula.kernel.db import Database
from insula.kernel.events import Bus
from insula.keys import service as keys
from insula.keys.settings import KeyRotation
from insula.outbound.door import Door
from insula.platform import environment as variables
from insula.platform.migrations import migrate
from insula.platform.probed import Probed
from insula.tenancy.db import Doors, Platform
from insula.tenancy.directory import Directory
from insula.tenancy.models import Naming
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords

_TEMPLATE = "insula_template"
#: Any number: one worker at a time makes the roles and the template, which belong to all.
_LOCK = 4_711_002
_make_keys = keys.prepare


@dataclass(frozen=True)
class DatabaseUrls:
    """One worker's database, as each role connects to it; the superuser is for looking behind."""

    app: str
    platform: str
    owner: str
    superuser: str

    @classmethod
    def of(cls, superuser_url, name):
        def connect_as(role):
            return database_url(superuser_url, name).replace(
                superuser_url.split("@")[0], f"postgresql://{role}:{role}"
            )

        return cls(
            connect_as("insula_app"),
            connect_as("insula_platform"),
            connect_as("insula_owner"),
            database_url(superuser_url, name),
        )


@pytest.fixture(scope="session")
def template(cluster) -> str:
    """The name of a database that was migrated once in this run, by an owner without privileges."""
    with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
        db.execute("select pg_advisory_lock(%s)", [_LOCK])
        if not db.execute("select 1 from pg_database where datname = %s", [_TEMPLATE]).fetchone():
            _make_template(db, cluster.postgres_url)
    return _TEMPLATE


def _make_template(db, superuser_url):
    if not db.execute("select 1 from pg_roles where rolname = 'insula_owner'").fetchone():
        db.execute("create role insula_owner login createrole password 'insula_owner'")
    making = f"{_TEMPLATE}_making"
    create_database(superuser_url, making)
    db.execute(f"alter database {making} owner to insula_owner")
    migrate(DatabaseUrls.of(superuser_url, making).owner)
    for role in ("insula_app", "insula_platform"):
        db.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(role))
        )
    db.execute(f"alter database {making} rename to {_TEMPLATE}")


def fresh_database(cluster, template, name) -> DatabaseUrls:
    """A migrated database of that name with nothing in it."""
    create_database(cluster.postgres_url, name, template)
    with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
        db.execute(f"alter database {name} owner to insula_owner")
    return DatabaseUrls.of(cluster.postgres_url, name)


@pytest.fixture(scope="session")
def database(cluster, template, worker_id) -> DatabaseUrls:
    """This worker's own database."""
    return fresh_database(cluster, template, f"insula_{worker_id}")


@pytest.fixture
def superuser(database):
    """A connection that no policy holds, in a transaction that is rolled back."""
    with psycopg.connect(database.superuser) as db:
        yield db
        db.rollback()


@asynccontextmanager
async def opened(url, size=4):
    database = Database(url, size=size, application="insula-tests")
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(scope="session")
async def app_db(database):
    async with opened(database.app) as db:
        yield db


@pytest.fixture(scope="session")
async def platform_db(database):
    async with opened(database.platform) as db:
        yield db


@pytest.fixture(scope="session")
async def bus(cluster):
    bus = Bus(cluster.valkey_url)
    yield bus
    await bus.close()


@pytest.fixture(scope="session")
def doors(app_db, bus) -> Doors:
    return Doors(app_db, bus)


@pytest.fixture(scope="session")
def platform_door(platform_db, bus) -> Platform:
    return Platform(platform_db, bus)


@pytest.fixture(scope="session")
def envelope() -> Envelope:
    return Envelope(parse_key(SECRETS_KEY))


@pytest.fixture(scope="session")
def naming() -> Naming:
    return Naming("localhost", scheme="http", port=8000)


@pytest.fixture(scope="session")
def rotation() -> KeyRotation:
    return KeyRotation()


@pytest.fixture
def directory(doors, naming) -> Directory:
    return Directory.over(doors, naming)


@pytest.fixture(scope="session")
def passwords():
    passwords = Passwords(Hashing())
    yield passwords
    passwords.close()


@pytest.fixture(scope="session", autouse=True)
def _keys_from_a_pool():
    """A new RSA key costs a tenth of a second: a handful serves all tenants of a worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "prepare", KeyPool(_make_keys).prepare)
        yield


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once():
    """A client reads all authorities of the machine as it is made, for 50 ms; they share them."""
    read = cache(httpx2.create_ssl_context)
    with pytest.MonkeyPatch.context() as patch:
        for transport in (httpx2.HTTPTransport, httpx2.AsyncHTTPTransport):
            patch.setattr(transport, "__init__", _with_shared_trust(transport.__init__, read))
        yield


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks():
    """What structlog says unconfigured, without pictures of all variables: half a second each."""
    console = structlog.get_config()["processors"][-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "exception_formatter", structlog.dev.plain_traceback)
        yield


@pytest.fixture
def log(capsys):
    """Logs as in production; returns what was written to the standard error, parsed."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    logs.configure(json=True)
    structlog.configure(cache_logger_on_first_use=False)  # what is cached knows no other test's
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:], root.level = handlers, level
    structlog.configure(**before)


def _with_shared_trust(make, read):
    """*make* of a transport, with the context of all others that trust the machine's choice."""

    @wraps(make)
    def made(self, *args, **options):
        if not args and options.get("verify", True) is True and options.get("cert") is None:
            options["verify"] = read(trust_env=options.get("trust_env", True))
        make(self, *args, **options)

    return made


@pytest.fixture
def fresh_keys(monkeypatch):
    """Keys made as in production, for a test that is about their making."""
    monkeypatch.setattr(keys, "prepare", _make_keys)


@pytest.fixture
def front(database, app_db, platform_door, bus, envelope, passwords) -> Probed:
    """What makes the application that the probe of the wall asks."""
    settings = variables.load(
        environment(database.app, database.platform, None, 8000), env_file=None
    )
    door = Door(settings.outbound_rules())
    prover = Prover(door, TxtRecords())
    return Probed(settings, app_db, platform_door, bus, envelope, passwords, door, prover)


@pytest.fixture
def houses(platform_door, envelope, rotation, doors, naming) -> Houses:
    return Houses(platform_door, envelope, rotation, doors, naming)


@pytest.fixture
def make_tenant(houses):
    """`await make_tenant(slug=None)` is a house: Ada lives in the first, Bea in the second."""
    return houses.make


@pytest.fixture
async def house(make_tenant):
    """Ada's house."""
    return await make_tenant()


@pytest.fixture
async def two_houses(make_tenant):
    """Ada's house and Bea's."""
    return await make_tenant(), await make_tenant()
