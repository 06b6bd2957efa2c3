"""Whoever is refused before signing in is told so, and may go back on purpose (AZ-11)."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from oidc_world import CALLBACK, ISSUER, build

from insula.oidc.models import Features

pytestmark = pytest.mark.spec("RFC9700-4.11.2", "AZ-11")


@pytest.fixture
def world_with(world, ring):
    """The world again, its issuer with other switches."""

    def world_with(**switches):
        world.provider = build(world.host, ring, features=Features(**switches))
        return world

    return world_with


def link(answer):
    assert answer.status == 400
    assert "location" not in answer.headers
    return answer.text.rpartition('<a href="')[2].partition('"')[0].replace("&amp;", "&")


async def test_the_button_carries_what_the_client_would_have_been_told(world, web):
    back = link(await world.browser().authorize(web, scope="unheard_of"))

    target = urlsplit(back)
    assert back.startswith(CALLBACK)
    assert dict(parse_qsl(target.query)) == {
        "error": "invalid_scope",
        "error_description": "None of the scopes is known",
        "state": "xyz",
        "iss": ISSUER,
    }


async def test_there_is_none_for_an_address_that_is_not_the_clients(world, web):
    answer = await world.browser().authorize(web, redirect_uri="https://evil.example/")

    assert answer.status == 400
    assert "<a " not in answer.text


async def test_there_is_none_where_the_answer_would_travel_in_a_form(world, web):
    answer = await world.browser().authorize(web, scope="unheard_of", response_mode="form_post")

    assert "<a " not in answer.text


@pytest.mark.spec("RFC7636-4.4.1", "PK-3")
async def test_an_issuer_may_require_pkce_of_everybody(world_with):
    world = world_with(require_pkce=True)
    web = world.client(profile="standard")
    without = {"code_challenge", "code_challenge_method"}

    answer = await world.signed_in().authorize(web, without=without)

    assert answer.fields["error"] == "invalid_request"


@pytest.mark.spec("JR-8")
async def test_an_issuer_may_require_signed_requests_of_everybody(world_with):
    world = world_with(require_signed_request=True)

    answer = await world.signed_in().authorize(world.client())

    assert answer.fields["error"] == "invalid_request"


@pytest.mark.spec("DP-4")
async def test_an_issuer_may_require_bound_tokens_of_everybody(world_with):
    world = world_with(require_dpop=True)
    web = world.client()

    answer = await world.redeem(web, await world.code(web))

    assert (answer.status, answer.json["error"]) == (400, "invalid_dpop_proof")
