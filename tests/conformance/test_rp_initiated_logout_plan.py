"""RP-initiated logout: the session ends, and the browser goes only where it may."""

import base64
import json
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sites import SIGNED_OUT
from suite import interleaved

_ASKED = "/sign-in/out"


async def _leave(run, **parameters):
    """Go to the end session endpoint; where the browser ends."""
    sent = {name: value for name, value in parameters.items() if value is not None}
    return await run.visitor.go(run.metadata["end_session_endpoint"], params=sent)


async def _is_signed_out(run):
    assert await run.refused(prompt="none") == "login_required"


async def _is_still_signed_in(run):
    assert (await run.succeeds(prompt="none")).acted == []


async def _told_on_a_page(run, arrival, *, asked):
    assert arrival.answer is None
    assert arrival.page.status == 200
    assert "You are signed out" in arrival.page.text
    assert arrival.acted == ([_ASKED] if asked else [])
    await _is_signed_out(run)


async def _refused_on_a_page(run, **parameters):
    """Nothing happens but that the person is told."""
    arrival = await _leave(run, post_logout_redirect_uri=SIGNED_OUT, state="x", **parameters)

    assert arrival.answer is None
    assert arrival.page.status == 400
    await _is_still_signed_in(run)


@pytest.mark.spec("OIDCRIL-2", "LO-1")
@interleaved
async def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(run):
    parts = urlsplit(run.metadata["end_session_endpoint"])

    assert parts.scheme == "https"
    assert f"{parts.scheme}://{parts.netloc}" == run.issuer
    assert not parts.query
    assert not parts.fragment


@pytest.mark.spec("OIDCRIL-2", "OIDCRIL-3", "LO-2", "LO-3", "LO-5")
@interleaved
async def test_oidcc_rp_initiated_logout(run):
    flow = await run.flow()

    arrival = await _leave(
        run,
        id_token_hint=flow.tokens["id_token"],
        post_logout_redirect_uri=SIGNED_OUT,
        state="a state & more",
    )

    assert arrival.url == SIGNED_OUT
    assert arrival.answer == {"state": "a state & more"}
    assert arrival.acted == []
    await _is_signed_out(run)


@pytest.mark.spec("OIDCRIL-3", "LO-3")
@interleaved
async def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(run):
    flow = await run.flow()

    arrival = await _leave(
        run,
        id_token_hint=flow.tokens["id_token"],
        post_logout_redirect_uri="https://elsewhere.example/post_logout_redirect",
        state="x",
    )

    assert arrival.answer is None
    assert arrival.page.status == 400
    await _is_still_signed_in(run)


@pytest.mark.spec("OIDCRIL-3", "LO-3")
@interleaved
async def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(run):
    flow = await run.flow()

    arrival = await _leave(
        run,
        id_token_hint=flow.tokens["id_token"],
        post_logout_redirect_uri=f"{SIGNED_OUT}?more=1",
        state="x",
    )

    assert arrival.answer is None
    assert arrival.page.status == 400
    await _is_still_signed_in(run)


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.spec("OIDCRIL-4", "LO-4")
@interleaved
async def test_oidcc_rp_initiated_logout_modified_id_token_hint(run):
    flow = await run.flow()
    header = {"alg": "none", "typ": "JWT"}

    await _refused_on_a_page(run, id_token_hint=f"{_part(header)}.{_part(flow.claims)}.")
    signed = flow.tokens["id_token"].rpartition(".")[2]
    await _refused_on_a_page(run, id_token_hint=f"{_part(header)}.{_part(flow.claims)}.{signed}")


@pytest.mark.spec("OIDCRIL-4", "LO-4")
@interleaved
async def test_oidcc_rp_initiated_logout_bad_id_token_hint(run):
    flow = await run.flow()
    kid = jwt.get_unverified_header(flow.tokens["id_token"])["kid"]
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    run.shown["hint"] = flow.tokens["id_token"]

    hint = jwt.encode(flow.claims, foreign, "RS256", headers={"kid": kid, "typ": "JWT"})
    await _refused_on_a_page(run, id_token_hint=hint)
    # the other tenant's, of the same client_id and the same user name, is as foreign
    await _refused_on_a_page(run, id_token_hint=await run.see("hint"))


@pytest.mark.spec("OIDCRIL-2", "OIDCRIL-3", "LO-2", "LO-3")
@interleaved
async def test_oidcc_rp_initiated_logout_no_id_token_hint(run):
    await run.flow()

    await _refused_on_a_page(run, client_id=run.client().client_id)
    await _refused_on_a_page(run)


@pytest.mark.spec("OIDCRIL-2", "LO-2")
@interleaved
async def test_oidcc_rp_initiated_logout_no_params(run):
    await run.flow()

    await _told_on_a_page(run, await _leave(run), asked=True)


@pytest.mark.spec("OIDCRIL-2", "LO-2")
@interleaved
async def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(run):
    flow = await run.flow()

    arrival = await _leave(run, id_token_hint=flow.tokens["id_token"], state="x")

    await _told_on_a_page(run, arrival, asked=False)


@pytest.mark.spec("OIDCRIL-2", "LO-2")
@interleaved
async def test_oidcc_rp_initiated_logout_only_state(run):
    await run.flow()

    await _told_on_a_page(run, await _leave(run, state="x"), asked=True)


@pytest.mark.spec("OIDCRIL-3", "LO-3")
@interleaved
async def test_oidcc_rp_initiated_logout_no_state(run):
    flow = await run.flow()

    arrival = await _leave(
        run, id_token_hint=flow.tokens["id_token"], post_logout_redirect_uri=SIGNED_OUT
    )

    assert arrival.url == SIGNED_OUT
    assert arrival.answer == {}
    await _is_signed_out(run)
