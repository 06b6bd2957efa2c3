"""Whom the client believes to be here: `id_token_hint` at the authorization endpoint (OC-9)."""

from uuid import uuid4

import pytest
from oidc_world import Person, build, ring_of
from test_authorize_errors import is_told

BEA = Person(uuid4(), {"name": "Bea"})


@pytest.mark.spec("OIDCC-3.1.2.1")
async def test_a_silent_request_about_the_person_who_is_here_succeeds(world, web):
    browser = world.signed_in()
    hint = (await world.tokens(web, browser))["id_token"]

    assert "code" in (await browser.authorize(web, prompt="none", id_token_hint=hint)).fields


async def test_an_expired_hint_still_names_the_person(world, web, later):
    browser = world.signed_in()
    hint = (await world.tokens(web, browser))["id_token"]
    later(7200)

    assert "code" in (await browser.authorize(web, prompt="none", id_token_hint=hint)).fields


@pytest.mark.spec("OIDCC-3.1.2.1", "OIDCC-3.1.2.6")
async def test_a_silent_request_about_somebody_else_fails(world, web):
    hint = (await world.tokens(web, world.signed_in(BEA)))["id_token"]
    browser = world.signed_in()

    silent = await browser.authorize(web, prompt="none", id_token_hint=hint)
    spoken = await browser.authorize(web, id_token_hint=hint)

    assert is_told(silent, "login_required")
    assert "code" in spoken.fields


async def test_a_hint_that_proves_nothing_fails_silently_only(world, web, foreign):
    browser = world.signed_in()
    other = world.client("other")
    tokens = await world.tokens(web, browser)
    hints = [
        "garbage",
        tokens["id_token"][:-4] + "AAAA",
        tokens["access_token"],
        (await world.tokens(other, browser))["id_token"],
    ]
    world.provider = build(world.host, ring_of(foreign.values()))
    hints.append(tokens["id_token"])

    for hint in hints:
        silent = await browser.authorize(web, prompt="none", id_token_hint=hint)
        spoken = await browser.authorize(web, id_token_hint=hint)
        assert is_told(silent, "login_required")
        assert "code" in spoken.fields


@pytest.mark.spec("OIDCC-3.1.2.1")
async def test_a_retired_key_serves_for_hints_and_for_nothing_else(world, web, generated, foreign):
    browser = world.signed_in()
    tokens = await world.tokens(web, browser)
    world.provider = build(world.host, ring_of(foreign.values(), retired=generated.values()))

    hinted = await browser.authorize(web, prompt="none", id_token_hint=tokens["id_token"])
    userinfo = await world.userinfo(tokens["access_token"])

    assert "code" in hinted.fields
    assert userinfo.status == 401
