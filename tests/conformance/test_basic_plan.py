"""Basic and Form Post Basic: codes, what they are good for, and how clients prove themselves."""

import base64
import hashlib
import re
import secrets
from datetime import timedelta

import pytest
from judging import check_bearer_refused, check_id_token, check_refused
from sites import CALLBACK, static_metadata
from suite import basic_and_form_post, interleaved

from insula.clients.errors import InvalidClientMetadata

pytestmark = basic_and_form_post

_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_VSCHAR = re.compile(r"[\x20-\x7e]+\Z")


@pytest.mark.spec("OIDCC-3.1", "RFC6749-5.1", "RFC9207-2", "TK-2", "AZ-16")
@interleaved
async def test_oidcc_server(run):
    first = await run.flow("first")
    second = await run.flow("second")

    assert first.claims["sub"] == second.claims["sub"] == str(run.site.person.id)
    assert first.arrival.answer["code"] != second.arrival.answer["code"]
    for flow in (first, second):
        await run.says(flow)
        assert "refresh_token" not in flow.tokens
    for key in run.jwks["keys"]:
        assert not _PRIVATE & key.keys()
    kids = [key["kid"] for key in run.jwks["keys"]]
    assert len(set(kids)) == len(kids)
    run.shown["kids"] = set(kids)
    run.shown["sub"] = first.claims["sub"]
    run.shown["token"] = first.tokens["access_token"]
    # nothing of the other tenant's counts here
    assert not await run.see("kids") & set(kids)
    assert await run.see("sub") != first.claims["sub"]
    check_bearer_refused(await run.userinfo(await run.see("token")), "invalid_token")
    third = await run.succeeds()
    run.shown["third"] = third
    check_refused(await run.redeem(await run.see("third")), "invalid_grant")
    await run.tokens(third)  # and ours has not suffered from being tried there


@pytest.mark.spec("RFC6749-3.1.1", "AZ-3", "AZ-11")
@interleaved
async def test_oidcc_response_type_missing(run):
    await run.refused_on_a_page(response_type=None)  # nobody has signed in

    await run.succeeds()
    assert await run.refused(response_type=None) == "invalid_request"


@pytest.mark.spec("OIDCC-3.1.3.7", "OIDCC-15.1", "ID-2")
@interleaved
async def test_oidcc_idtoken_signature(run):
    assert "RS256" in run.metadata["id_token_signing_alg_values_supported"]

    await run.flow()  # which holds the id_token to RS256 and a key of the JWKS


@pytest.mark.spec("OIDCC-3.1.3.7", "ID-2")
@interleaved
async def test_oidcc_idtoken_unsigned(run):
    assert "none" not in run.metadata["id_token_signing_alg_values_supported"]
    with pytest.raises(InvalidClientMetadata):
        static_metadata({"id_token_signed_response_alg": "none"})


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-2")
@interleaved
async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(run):
    flow = await run.flow(nonce=None)

    assert "nonce" not in flow.claims


@pytest.mark.spec("OIDCC-3.1.2.1", "AZ-2")
@interleaved
async def test_oidcc_alternate_happy_flow(run):
    scope = "phone email openid profile"
    asked = run.asked(scope=scope)
    backwards = dict(reversed(asked.items()))
    arrival = await run.visitor.go(run.metadata["authorization_endpoint"], params=backwards)
    tokens = await run.tokens(arrival)

    check_id_token(
        tokens["id_token"],
        run,
        client_id=asked["client_id"],
        nonce=asked["nonce"],
        access_token=tokens["access_token"],
    )
    assert arrival.answer["state"] == asked["state"]
    assert set(tokens["scope"].split()) == set(scope.split())


@pytest.mark.spec("RFC6749-4.1.2", "RFC6749-10.5", "TK-6")
@interleaved
async def test_oidcc_codereuse(run):
    await _use_a_code_twice(run)


@pytest.mark.spec("RFC6749-4.1.2", "RFC6749-10.5", "TK-6")
@interleaved
async def test_oidcc_codereuse_30seconds(run):
    await _use_a_code_twice(run, seconds=30)


async def _use_a_code_twice(run, seconds=0):
    flow = await run.flow(scope="openid offline_access", prompt="consent")
    await run.says(flow)
    if seconds:
        _let_time_pass(run, seconds)

    check_refused(await run.redeem(flow.arrival), "invalid_grant")

    check_bearer_refused(await run.userinfo(flow.tokens["access_token"]), "invalid_token")
    again = await run.token(grant_type="refresh_token", refresh_token=flow.tokens["refresh_token"])
    check_refused(again, "invalid_grant")


def _let_time_pass(run, seconds):
    """Make the codes of this tenant older, since a test that waits for them costs a minute."""
    product, past = run.site.product, timedelta(seconds=seconds)
    assert product.change(
        "update insula.authorization_codes set created_at = created_at - %s,"
        " expires_at = expires_at - %s, consumed_at = consumed_at - %s where tenant_id = %s",
        past,
        past,
        past,
        product.tenant_id(run.site.slug),
    )


@pytest.mark.spec("RFC6749-3.1.2", "AZ-4")
@interleaved
async def test_oidcc_ensure_registered_redirect_uri(run):
    for uri in (f"{CALLBACK}/other", f"{CALLBACK}?more=1", CALLBACK.upper()):
        await run.refused_on_a_page(redirect_uri=uri)
    # nor once somebody has signed in
    await run.succeeds()
    await run.refused_on_a_page(redirect_uri=f"{CALLBACK}/other")


@pytest.mark.spec("OIDCC-3.1.2.1", "RFC6749-3.1", "AZ-1")
@interleaved
async def test_oidcc_ensure_post_request_succeeds(run):
    flow = await run.flow(method="POST")
    await run.says(flow)

    # also when the person need do nothing
    arrival = await run.succeeds(method="POST")
    assert arrival.acted == []


@pytest.mark.spec("RFC6749-2.3.1", "OIDCC-9", "CA-1", "CA-2")
@interleaved
async def test_oidcc_server_client_secret_post(run):
    assert "client_secret_post" in run.metadata["token_endpoint_auth_methods_supported"]
    flow = await run.flow("post")
    await run.says(flow)

    # and by no other method than its own
    arrival = await run.succeeds("post")
    app = run.client("post")
    answer = await run.post(
        run.metadata["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "code": arrival.answer["code"],
            "redirect_uri": CALLBACK,
        },
        auth=(app.client_id, app.secret),
    )
    check_refused(answer, "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.spec("RFC6749-6", "OIDCC-12.2", "RFC6749-A.17", "RT-2", "RT-3", "RT-8", "RT-9")
@interleaved
async def test_oidcc_refresh_token(run):
    flow = await run.flow(scope="openid email offline_access", prompt="consent")
    token = flow.tokens["refresh_token"]
    assert _VSCHAR.match(token)
    run.shown["refresh_token"] = token

    def refresh(client="first", **more):
        return run.token(client, grant_type="refresh_token", **{"refresh_token": token, **more})

    check_refused(await refresh("second"), "invalid_grant")
    check_refused(await refresh(scope="openid email profile"), "invalid_scope")
    theirs = await run.see("refresh_token")
    check_refused(await refresh(refresh_token=theirs), "invalid_grant")

    answer = await refresh()
    assert answer.status_code == 200, answer.text
    renewed = answer.json()
    assert _VSCHAR.match(renewed["refresh_token"])
    assert renewed["access_token"] != flow.tokens["access_token"]
    claims = check_id_token(
        renewed["id_token"],
        run,
        client_id=run.client().client_id,
        nonce=None,
        access_token=renewed["access_token"],
    )
    for name in ("iss", "sub", "aud", "acr", "amr"):
        assert claims[name] == flow.claims[name]
    assert claims["iat"] >= flow.claims["iat"]
    answer = await run.userinfo(renewed["access_token"])
    assert answer.json()["sub"] == claims["sub"]


@pytest.mark.spec("RFC7636-4.2", "RFC7636-4.6", "PK-1", "PK-4")
@interleaved
async def test_oidcc_ensure_request_with_valid_pkce_succeeds(run):
    assert run.metadata["code_challenge_methods_supported"] == ["S256"]
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = {
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }

    await run.flow(redemption={"code_verifier": verifier}, **challenge)

    # and it is enforced although this client need not send one
    arrival = await run.succeeds(**challenge)
    wrong = secrets.token_urlsafe(48)
    check_refused(await run.redeem(arrival, code_verifier=wrong), "invalid_grant")
