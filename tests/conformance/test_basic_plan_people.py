"""Basic and Form Post Basic: the person, asked or left alone as the request wishes."""

import pytest
from suite import basic_and_form_post, interleaved
from turns import pause

pytestmark = basic_and_form_post

_SIGN_IN = "/sign-in"
#: Says `auth_time` in every id_token.
_SAYS_WHEN = "second"


async def _harmless(run, **parameters):
    """Parameters that change nothing but what the person sees."""
    flow = await run.flow(**parameters)
    assert _SIGN_IN in flow.arrival.acted
    await run.says(flow)


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-11", "OC-20")
@interleaved
async def test_oidcc_display_page(run):
    assert "page" in run.metadata["display_values_supported"]
    await _harmless(run, display="page")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-11", "OC-20")
@interleaved
async def test_oidcc_display_popup(run):
    assert "popup" in run.metadata["display_values_supported"]
    await _harmless(run, display="popup")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-12", "OC-20")
@interleaved
async def test_oidcc_ui_locales(run):
    await _harmless(run, ui_locales="se <b>fr-CA</b> en")


@pytest.mark.spec("OIDCC-5.2", "OC-12", "OC-20")
@interleaved
async def test_oidcc_claims_locales(run):
    await _harmless(run, claims_locales="se fr-CA en")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-10")
@interleaved
async def test_oidcc_login_hint(run):
    await _harmless(run, login_hint=run.site.person.email)
    hostile = '"><script>alert(1)</script>'

    arrival = await run.authorize(visitor=run.new_visitor(), login_hint=hostile)

    assert arrival.answer is not None


@pytest.mark.spec("RFC6749-3.1", "OIDCC-3.1.2.1", "AZ-2")
@interleaved
async def test_oidcc_ensure_request_with_unknown_parameter_succeeds(run):
    await _harmless(run, extra="foobar")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-7", "OC-20")
@interleaved
async def test_oidcc_ensure_request_with_acr_values_succeeds(run):
    supported = run.metadata["acr_values_supported"]

    flow = await run.flow(acr_values=" ".join(["unheard-of", *supported]))
    unheard_of = await run.flow(acr_values="1 2")

    assert flow.claims["acr"] in supported
    assert unheard_of.claims["acr"] in supported


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-4")
@interleaved
async def test_oidcc_prompt_login(run):
    first = await run.flow(_SAYS_WHEN)
    await pause(1.1)

    second = await run.flow(_SAYS_WHEN, prompt="login")

    assert second.arrival.acted == [_SIGN_IN]
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] > first.claims["auth_time"]


@pytest.mark.spec("OIDCC-3.1.2.1", "OIDCC-3.1.2.6", "OC-3")
@interleaved
async def test_oidcc_prompt_none_not_logged_in(run):
    arrival = await run.authorize(prompt="none")

    assert arrival.answer["error"] == "login_required"
    assert arrival.acted == []
    assert (arrival.page is None) == (run.response_mode == "query")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-3")
@interleaved
async def test_oidcc_prompt_none_logged_in(run):
    first = await run.flow(_SAYS_WHEN)

    second = await run.flow(_SAYS_WHEN, prompt="none")

    assert second.arrival.acted == []
    assert (second.arrival.page is None) == (run.response_mode == "query")
    for name in ("sub", "auth_time"):
        assert second.claims[name] == first.claims[name]


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-6")
@interleaved
async def test_oidcc_max_age_1(run):
    first = await run.flow(_SAYS_WHEN)
    await pause(2.1)
    before = first.claims["auth_time"]

    second = await run.flow("first", max_age=1)

    assert second.arrival.acted[0] == _SIGN_IN
    assert second.claims["auth_time"] >= before + 2
    assert second.claims["iat"] - second.claims["auth_time"] <= 1


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-6")
@interleaved
async def test_oidcc_max_age_10000(run):
    first = await run.flow(max_age=10000)

    second = await run.flow(max_age=10000)

    assert second.arrival.acted == []
    for name in ("sub", "auth_time"):
        assert second.claims[name] == first.claims[name]


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-9")
@interleaved
async def test_oidcc_id_token_hint(run):
    first = await run.flow()
    run.shown["hint"] = hint = first.tokens["id_token"]

    second = await run.flow(prompt="none", id_token_hint=hint)

    assert second.arrival.acted == []
    assert second.claims["sub"] == first.claims["sub"]
    theirs = await run.see("hint")  # of the same client_id and the same user name
    assert await run.refused(prompt="none", id_token_hint=theirs) == "login_required"
