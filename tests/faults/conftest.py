"""
Servers of their own, to be hurt: PostgreSQL that survives a crash, Valkey, and two installations.

`crowd` is `insula serve` with four processes; `slow` is another one whose database is at the end of
a wire that can be made slow.
"""

import time

import psycopg
import pytest
from foundation import DatabaseUrls
from ledger import reconnect
from product import Backstage, Product
from psycopg import sql
from serving import serving
from slow_wire import SlowWire
from spine import until

from insula.config_overrides import service as config_overrides
from insula.kernel.errors import Unavailable
from insula.platform.embedded import EmbeddedPostgres, EmbeddedValkey
from insula.platform.embedded.ports import free_port
from insula.platform.migrations import migrate
from insula.providers.settings import RefreshRules
from insula.tenancy.models import DEFAULT_TENANT_ID


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    server = EmbeddedPostgres(tmp_path_factory.mktemp("faults") / "postgres", durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    server = EmbeddedValkey(tmp_path_factory.mktemp("faults") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def urls(postgres):
    """A migrated database of that server."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as db:
        db.execute("create role insula_owner login createrole password 'insula_owner'")
        db.execute("create database insula owner insula_owner")
    urls = DatabaseUrls.of(postgres.superuser_url, "insula")
    migrate(urls.owner)
    with psycopg.connect(urls.superuser, autocommit=True) as db:
        for role in ("insula_app", "insula_platform"):
            db.execute(
                sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(role))
            )
    return urls


@pytest.fixture(scope="session")
def house(postgres, urls, valkey, tmp_path_factory):
    """The product on those servers, with four processes."""
    more = {"INSULA_TRUSTED_PROXIES": "127.0.0.0/8", "INSULA_WORKERS": "4"}
    folder = tmp_path_factory.mktemp("house")
    with serving(urls.app, urls.platform, valkey.url, folder, **more) as server:
        with pytest.MonkeyPatch.context() as patch:
            for variable, text in server.environment.items():
                if variable.startswith("INSULA_"):
                    patch.setenv(variable, text)
            backstage = Backstage()
        product = Product(server, urls, backstage, f"http://127.0.0.1:{free_port()}")
        product.postgres, product.valkey, product.urls = postgres, valkey, urls
        backstage.run(_wait_long)
        yield product
        product.db.close()
        backstage.close()


async def _look(here):
    await here.database.fetch("select 1")
    await here.platform.fetch("select 1")
    async with (await here.tenant("acme")).transaction():
        pass
    async with here.platform.within(DEFAULT_TENANT_ID):
        return True


def answers(house):
    """Whether those behind the scenes have noticed too that the database is back."""
    try:
        return house.backstage.run(_look)
    except Unavailable:
        return False


async def _wait_long(here):
    """An answer that a fault has lost is given again for a minute."""
    patient = {"reuse_grace_seconds": 60}
    await config_overrides.change(await here.tenant("acme"), RefreshRules, patient)


@pytest.fixture
def alive(house):
    """The house, and its servers up again whatever a test has done to them."""
    yield house
    if not house.postgres.is_running():
        house.postgres.start()
    if not house.valkey.is_running():
        house.valkey.start()
        time.sleep(2.5)  # the longest pause of a process between two tries to connect
    reconnect(house)
    until(15, lambda: answers(house))


@pytest.fixture(scope="session")
def wire(postgres):
    with SlowWire("127.0.0.1", postgres.port) as wire:
        yield wire


@pytest.fixture(scope="session")
def second(house, wire, tmp_path_factory):
    """
    Another server of the same installation: one process, its database behind the wire, and room
    for three tenants in memory.
    """

    def through(url):
        return url.replace(f":{house.postgres.port}/", f":{wire.port}/")

    more = {
        "INSULA_PUBLIC_PORT": str(house.server.port),
        "INSULA_MULTI_TENANCY_PROVIDER_POOL_MAX_SIZE": "3",
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    folder = tmp_path_factory.mktemp("second")
    with serving(
        through(house.urls.app), through(house.urls.platform), house.valkey.url, folder, **more
    ) as server:
        yield server
