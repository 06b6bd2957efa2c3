import pytest
from hosts_of_others import NAME, PUBLIC, Authority, Names, Rerouted, Server

from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority):
    """A host with a good certificate, for its name and for 127.0.0.1."""
    async with Server().listening(authority.context(NAME, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def internet(server):
    return Rerouted(server)


@pytest.fixture
def names():
    return Names(rp_example=[[PUBLIC]])


@pytest.fixture
async def make_door(authority, internet, names):
    """Make doors that are closed afterwards; by default they lead to the server by its name."""
    made = []

    def make(*, network=internet, look_up=names, clock=None, **rules):
        options = {"clock": clock} if clock else {}
        made.append(
            Door(
                OutboundRules(**{"ca_file": authority.pem} | rules),
                look_up=look_up,
                network=network,
                **options,
            )
        )
        return made[-1]

    yield make
    for door in made:
        await door.close()


@pytest.fixture
def door(make_door):
    return make_door()
