import psycopg
import pytest
from psycopg.rows import namedtuple_row
from store_worlds import Memory, PostgreSql


@pytest.fixture(scope="session")
def db(database):
    """Whoever changes rows behind the product's back, each at once."""
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
async def postgresql(make_tenant, db):
    house = await make_tenant()
    return PostgreSql(house.tenant, db)


@pytest.fixture(params=["memory", "postgresql"])
def world(request):
    """The same host of the engine twice: a test that takes it holds for both."""
    world = Memory() if request.param == "memory" else request.getfixturevalue("postgresql")
    yield world
    world.restore()


@pytest.fixture
async def app(world):
    return await world.client()


@pytest.fixture
async def ada(world):
    """Ada's session."""
    return await world.session()
