"""Applications in memory: followed when they change, and not locked by who guesses at them."""

import random
import secrets
from datetime import timedelta

import pytest
from browsing import some_address
from spine import Api, until

from insula.clients import service as clients
from insula.config_overrides import service as config_overrides
from insula.sign_in.settings import BruteForce

WITHIN = 1.0  # seconds, with events


@pytest.fixture
def machine(product):
    """An application that acts for itself."""
    return product.app("acme", grant_types=("client_credentials",), redirect_uris=())


def change(product, app, **changes):
    async def act(here):
        await clients.change(
            await here.tenant("acme"), app.client_id, {}, development=True, **changes
        )

    product.backstage.run(act)


def test_a_deactivated_client_is_refused_at_once_and_served_again(product, machine):
    api = Api(product, "acme", machine)
    token = api.own_token().json()["access_token"]
    asking = Api(product, "acme", product.app("acme", introspects_others=True))
    assert asking.is_active(token)

    change(product, machine, status="inactive")
    assert not asking.is_active(token)
    until(WITHIN, lambda: api.own_token().status_code == 401)
    change(product, machine, status="active")

    until(WITHIN, lambda: api.own_token().status_code == 200)


@pytest.mark.parametrize("overlap", [0, 1])
def test_a_new_secret_is_followed_and_the_old_one_lives_as_long_as_it_may(
    product, machine, overlap
):
    old = Api(product, "acme", machine)
    assert old.own_token().status_code == 200

    async def rotate(here):
        return await clients.rotate_secret(
            await here.tenant("acme"), machine.client_id, overlap=timedelta(hours=overlap)
        )

    secret = product.backstage.run(rotate)
    new = Api(product, "acme", type(machine)(machine.id, machine.client_id, secret))

    until(WITHIN, lambda: new.own_token().status_code == 200)
    assert old.own_token().status_code == (200 if overlap else 401)


def test_a_client_that_is_registered_is_known_although_it_was_asked_for_before(product, machine):
    wanted = f"later-{machine.client_id[-6:].strip('-_')}x"
    app = type(machine)(None, wanted, "not yet")
    assert Api(product, "acme", app).own_token().status_code == 401

    async def register(here):
        parsed = clients.parse_metadata({"grant_types": ("client_credentials",)}, development=True)
        return await clients.register(await here.tenant("acme"), "Later", parsed, client_id=wanted)

    made = product.backstage.run(register)
    api = Api(product, "acme", type(machine)(made.id, wanted, made.secret))

    until(WITHIN, lambda: api.own_token().status_code == 200)


@pytest.mark.spec("RFC6749-2.3.1")
def test_a_flood_of_wrong_secrets_waits_and_the_client_itself_does_not(product, machine):
    attacker, home = some_address(), some_address()
    guess = Api(
        product,
        "acme",
        type(machine)(machine.id, machine.client_id, "ins_cs_wrong"),
        **{"x-forwarded-for": attacker},
    )

    answers = [guess.own_token() for _ in range(25)]

    statuses = [answer.status_code for answer in answers]
    assert statuses[:20] == [401] * 20
    assert set(statuses[20:]) == {429}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 300
    assert answers[-1].json()["error"] not in ("invalid_client", "server_error")
    right = Api(product, "acme", machine, **{"x-forwarded-for": attacker})
    assert right.own_token().status_code == 429  # nobody learns there that it was the right one
    assert Api(product, "acme", machine, **{"x-forwarded-for": home}).own_token().status_code == 200


@pytest.mark.spec("security row 61", "CA-10")
def test_a_network_of_ipv6_is_one_guesser(product, machine):
    wrong = type(machine)(machine.id, machine.client_id, "ins_cs_wrong")
    network = f"2001:db8:{random.getrandbits(16):x}:{random.getrandbits(16):x}"
    guesses = [
        Api(product, "acme", wrong, **{"x-forwarded-for": f"{network}::{n:x}"})
        for n in range(1, 23)
    ]

    statuses = [guess.own_token().status_code for guess in guesses]

    assert statuses == [401] * 20 + [429] * 2


def test_names_that_do_not_exist_are_counted_alike(product, machine):
    nobody = Api(
        product,
        "acme",
        type(machine)(None, "no-such-client-at-all", "ins_cs_wrong"),
        **{"x-forwarded-for": some_address()},
    )

    statuses = [nobody.own_token().status_code for _ in range(22)]

    assert statuses == [401] * 20 + [429] * 2


def test_a_change_forgives_nobody(product, machine):
    attacker = some_address()
    wrong = type(machine)(machine.id, machine.client_id, "ins_cs_wrong")
    guess = Api(product, "acme", wrong, **{"x-forwarded-for": attacker})
    for _ in range(20):
        guess.own_token()
    assert guess.own_token().status_code == 429

    change(product, machine, name="Another name")  # a new provider instance
    elsewhere = Api(product, "acme", machine, **{"x-forwarded-for": some_address()})
    until(WITHIN, lambda: elsewhere.own_token().status_code == 200)

    assert guess.own_token().status_code == 429


@pytest.mark.spec("CA-10")
def test_how_often_a_client_may_fail_is_the_tenants_to_say(product):
    slug = f"guess{secrets.token_hex(4)}"
    product.tenant(slug)
    app = product.app(slug, grant_types=("client_credentials",), redirect_uris=())

    async def decide(here):
        values = {"per_client": 3}
        await config_overrides.change(await here.tenant(slug), BruteForce, values)

    product.backstage.run(decide)
    wrong = type(app)(app.id, app.client_id, "ins_cs_wrong")

    def statuses():  # from an address that nobody has seen before
        guess = Api(product, slug, wrong, **{"x-forwarded-for": some_address()})
        return [guess.own_token().status_code for _ in range(5)]

    until(5, lambda: statuses() == [401] * 3 + [429] * 2)
