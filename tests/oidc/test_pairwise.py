"""Subjects that differ from sector to sector: OIDCC-8.1 (OC-19, UI-2)."""

from uuid import uuid4

import pytest
from apis import APIS, BILLING, REPORTS, USES_APIS, payload, reissue
from oidc_world import ADA

from insula.oidc.issuer import pairwise_subject
from insula.oidc.models import Person

pytestmark = pytest.mark.spec("OIDCC-8.1", "OC-19")

PAIRWISE = {"subject_type": "pairwise", "sector": "app.example"}


@pytest.fixture
def world(world, ring):
    return reissue(world, ring)


@pytest.fixture
def app(world):
    return world.client(**USES_APIS | PAIRWISE)


async def subject(world, client, browser=None):
    return payload((await world.tokens(client, browser))["id_token"])["sub"]


async def test_it_is_the_same_each_time_and_says_nothing_of_the_person(world, app):
    first, second = await subject(world, app), await subject(world, app)

    assert first == second
    assert len(first) == 43
    assert str(world.ada.user_id) not in first


async def test_clients_of_one_sector_share_it_and_others_do_not(world, app):
    sibling = world.client("sibling", **USES_APIS | PAIRWISE)
    stranger = world.client("stranger", **USES_APIS | PAIRWISE | {"sector": "other.example"})
    public = world.client("public", **USES_APIS)

    told = [await subject(world, client) for client in (app, sibling, stranger, public)]

    assert told[0] == told[1]
    assert len(set(told)) == 3
    assert told[3] == str(world.ada.user_id)


async def test_people_are_told_apart(world, app):
    grace = Person(uuid4(), ADA)

    assert await subject(world, app) != await subject(world, app, world.signed_in(grace))


async def test_it_differs_from_tenant_to_tenant(world, ring, app):
    here = await subject(world, app)

    reissue(world, ring, pairwise_key=b"q" * 32)

    assert await subject(world, app) != here


def test_where_sector_and_person_meet_is_not_open_to_doubt(world):
    ada = world.ada.user_id
    one = world.client("one", **PAIRWISE | {"sector": f"a\0{ada}"})
    other = world.client("other", **PAIRWISE | {"sector": "a"})

    assert pairwise_subject(one, ada, b"k") != pairwise_subject(other, ada, b"k")


@pytest.mark.spec("OIDCC-5.3.2", "RFC9068-2.2", "RFC7662-2.2", "UI-2", "IN-2")
async def test_it_is_the_same_wherever_it_is_told(world, ring, app):
    reporter = world.client("reporter")
    api = type(APIS[REPORTS])(REPORTS, "Reports", introspection_clients=frozenset({"reporter"}))
    reissue(world, ring, resources={**APIS, REPORTS: api})
    browser = world.signed_in()
    plain = await world.tokens(app, browser, scope="openid offline_access")
    reports = await world.tokens(app, browser, scope="openid", resource=REPORTS)
    billing = await world.tokens(app, browser, scope="openid billing:read", resource=BILLING)
    fresh = (await world.refresh(app, plain["refresh_token"])).json

    told = {
        payload(plain["id_token"])["sub"],
        payload(plain["access_token"])["sub"],
        payload(reports["access_token"])["sub"],
        payload(fresh["id_token"])["sub"],
        (await world.userinfo(plain["access_token"])).json["sub"],
        (await world.introspect(app, fresh["refresh_token"])).json["sub"],
        (await world.introspect(app, billing["access_token"])).json["sub"],
        (await world.introspect(reporter, reports["access_token"])).json["sub"],
    }

    assert len(told) == 1
    assert str(world.ada.user_id) not in told


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-9")
async def test_a_hint_names_the_person_by_it(world, app):
    browser, grace = world.signed_in(), world.signed_in(Person(uuid4(), ADA))
    hint = (await world.tokens(app, browser))["id_token"]
    asked = {"prompt": "none", "id_token_hint": hint}

    assert "code" in (await browser.authorize(app, **asked)).fields
    assert (await grace.authorize(app, **asked)).fields["error"] == "login_required"


@pytest.mark.spec("OIDCC-5.5.1", "OC-13")
async def test_claims_may_ask_for_the_person_by_it(world, app):
    browser = world.signed_in()
    mine = await subject(world, app, browser)

    async def asking(value):
        claims = f'{{"id_token":{{"sub":{{"value":"{value}"}}}}}}'
        return (await browser.authorize(app, claims=claims, prompt="none")).fields

    assert "code" in await asking(mine)
    assert (await asking(world.ada.user_id))["error"] == "login_required"


@pytest.mark.spec("OIDCRIL-2", "LO-2")
async def test_a_sign_out_with_it_needs_no_second_word(world, app):
    browser = world.signed_in()
    hint = (await world.tokens(app, browser))["id_token"]

    answer = await browser.go("/oauth2/logout", {"id_token_hint": hint})

    assert answer.status == 200
    assert not world.host.people.sessions
    assert not world.host.people.sign_outs


@pytest.mark.spec("OIDCC-8", "OC-19")
async def test_both_kinds_are_listed(world):
    listed = (await world.browser().go("/.well-known/openid-configuration")).json

    assert listed["subject_types_supported"] == ["public", "pairwise"]
