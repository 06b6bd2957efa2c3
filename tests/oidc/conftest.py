from uuid import uuid4

import pytest
from oidc_world import ADA, World, build, ring_of

from insula.kernel import clock
from insula.oidc.memory import Host
from insula.oidc.models import Person
from insula.oidc.signing import generate_key


@pytest.fixture(scope="session")
def generated():
    return {alg: generate_key(alg) for alg in ("RS256", "ES256", "PS256", "EdDSA")}


@pytest.fixture(scope="session")
def foreign():
    return {alg: generate_key(alg) for alg in ("RS256", "ES256")}


@pytest.fixture
def ring(generated):
    return ring_of(generated.values())


@pytest.fixture
def world(ring):
    host = Host()
    ada = Person(uuid4(), ADA)
    host.people.persons[ada.user_id] = ada
    return World(host, build(host, ring), ada)


@pytest.fixture
def web(world):
    return world.client()


@pytest.fixture
def spa(world):
    return world.public()


@pytest.fixture
def later():
    """Move the clock forward; it goes back after the test."""
    back = []

    def move(seconds):
        back.append(clock.shift(seconds))

    yield move
    for undo in back:
        undo()
