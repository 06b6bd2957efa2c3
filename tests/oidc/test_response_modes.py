"""How the answer travels: OAuth 2.0 Multiple Response Types and Form Post (RM-1, RM-2, RM-7)."""

import html
import re

import pytest
from oidc_world import CALLBACK, ISSUER
from test_authorize_errors import is_told


@pytest.mark.spec("OAuth2-FP-2")
async def test_form_post_keeps_the_answer_out_of_the_address(world, web):
    answer = await world.signed_in().authorize(web, response_mode="form_post")

    assert answer.status == 200
    assert f'action="{CALLBACK}"' in answer.text
    assert set(answer.fields) == {"code", "state", "iss"}
    assert answer.fields["iss"] == ISSUER
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.spec("OAuth2-RT-5", "OAuth2-FP-2")
async def test_errors_travel_as_success_would_have(world, web):
    answer = await world.signed_in().authorize(web, response_mode="form_post", scope="banana")

    assert answer.status == 200
    assert answer.fields["error"] == "invalid_scope"


@pytest.mark.spec("OAuth2-FP-2")
async def test_a_hostile_state_stays_inert(world, web):
    hostile = '"><script>alert(1)</script>'

    answer = await world.signed_in().authorize(web, response_mode="form_post", state=hostile)

    assert "<script>" not in answer.text
    value = re.search(r'name="state" value="([^"]*)"', answer.text)[1]
    assert html.unescape(value) == hostile


@pytest.mark.spec("OAuth2-RT-2.1")
async def test_query_may_be_asked_for_by_name(world, web):
    assert "code" in (await world.signed_in().authorize(web, response_mode="query")).fields


async def test_a_mode_that_is_not_the_clients_is_refused_in_the_default_one(world):
    client = world.client(response_modes=frozenset({"query"}))

    answer = await world.signed_in().authorize(client, response_mode="form_post")

    assert is_told(answer, "invalid_request")


async def test_a_client_of_form_post_only_must_say_so(world):
    client = world.client(response_modes=frozenset({"form_post"}))

    assert is_told(await world.signed_in().authorize(client), "invalid_request")
    answer = await world.signed_in().authorize(client, response_mode="form_post")
    assert answer.status == 200


async def test_a_mode_that_is_not_built_is_refused_even_if_registered(world):
    client = world.client(response_modes=frozenset({"query", "fragment"}))

    answer = await world.signed_in().authorize(client, response_mode="fragment")

    assert is_told(answer, "invalid_request")
