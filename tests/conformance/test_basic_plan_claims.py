"""Basic and Form Post Basic: what is said of a person, and where."""

import json

import pytest
from judging import beyond_protocol, check_bearer_refused
from modules import ARRIVING
from subject import ARRIVING_CLAIMS, claims_of
from suite import basic_and_form_post, interleaved

pytestmark = basic_and_form_post


@pytest.mark.spec("OIDCC-5.3.1", "RFC6750-2.1", "UI-1")
@interleaved
async def test_oidcc_userinfo_get(run):
    await run.says(await run.flow(), "GET")


@pytest.mark.spec("OIDCC-5.3.1", "RFC6750-2.1", "UI-1")
@interleaved
async def test_oidcc_userinfo_post_header(run):
    await run.says(await run.flow(), "POST")


@pytest.mark.spec("RFC6750-2.2", "UI-1")
@interleaved
async def test_oidcc_userinfo_post_body(run):
    """A warning of the suite that is foreseen: tokens in bodies are not taken."""
    flow = await run.flow()

    answer = await run.post(
        run.metadata["userinfo_endpoint"], data={"access_token": flow.tokens["access_token"]}
    )

    check_bearer_refused(answer, "invalid_request", 400)


async def _release(run, *scopes):
    """Ask for *scopes* and nothing else: userinfo says what they stand for, no more, no less."""
    supported = run.metadata["scopes_supported"]
    assert set(scopes) <= set(supported), f"not all supported: {supported}"
    flow = await run.flow(scope=" ".join(["openid", *scopes]))
    expected = claims_of(run.site.slug)
    told = set(run.metadata["claims_supported"])

    says = await run.says(flow)

    del says["sub"]
    assert says == {
        name: value
        for scope in scopes
        for name, value in expected[scope].items()
        if name in told or name not in ARRIVING_CLAIMS
    }
    assert set(says) <= told
    assert beyond_protocol(flow.claims) == {}  # an access token was issued: OIDCC-5.4


@pytest.mark.spec("OIDCC-5.4", "OIDCC-5.1", "UI-2", "UI-5", "UI-6", "ID-4")
@interleaved
async def test_oidcc_scope_profile(run):
    await _release(run, "profile")


@pytest.mark.spec("OIDCC-5.4", "OIDCC-5.1", "UI-2", "UI-5", "UI-6", "ID-4")
@interleaved
async def test_oidcc_scope_email(run):
    await _release(run, "email")


@pytest.mark.spec("OIDCC-5.4", "OIDCC-5.1", "UI-2", "UI-5", "UI-6", "ID-4")
@interleaved
async def test_oidcc_scope_phone(run):
    await _release(run, "phone")


@pytest.mark.spec("OIDCC-5.4", "OIDCC-5.1", "UI-2", "UI-5", "UI-6", "ID-4")
@interleaved
async def test_oidcc_scope_all(run):
    scopes = [
        scope for scope in claims_of(run.site.slug) if ("basic", f"scope-{scope}") not in ARRIVING
    ]
    await _release(run, *scopes)


@pytest.mark.spec("OIDCC-5.5", "OIDCC-5.5.1", "OC-13")
@interleaved
async def test_oidcc_claims_essential(run):
    assert run.metadata["claims_parameter_supported"] is True
    wish = {"userinfo": {"name": {"essential": True}}}

    flow = await run.flow(claims=json.dumps(wish))

    expected = claims_of(run.site.slug)["profile"]["name"]
    assert await run.says(flow) == {"sub": flow.claims["sub"], "name": expected}
    assert beyond_protocol(flow.claims) == {}
