"""Back-channel logout: the suite is told, server to server, which session has ended."""

import time
from urllib.parse import urlsplit

import jwt
import pytest
from judging import LEEWAY
from sites import SIGNED_OUT
from suite import interleaved
from turns import Turn

_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SAID = {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}


@pytest.mark.spec("OIDCBCL-2.2", "LO-6")
@interleaved
async def test_oidcc_backchannel_logout_discovery_endpoint_verification(run):
    assert run.metadata["backchannel_logout_supported"] is True
    assert run.metadata["backchannel_logout_session_supported"] is True
    assert urlsplit(run.metadata["end_session_endpoint"]).scheme == "https"


@pytest.mark.usefixtures("worker")
@pytest.mark.spec("OIDCBCL-2.4", "OIDCBCL-2.5", "LO-6", "LO-7")
@interleaved
async def test_oidcc_backchannel_rp_initiated_logout(run):
    flow = await run.flow("backchannel")
    before = time.time()

    arrival = await run.visitor.go(
        run.metadata["end_session_endpoint"],
        params={
            "id_token_hint": flow.tokens["id_token"],
            "post_logout_redirect_uri": SIGNED_OUT,
            "state": "x",
        },
    )
    answered = time.monotonic()
    told = run.site.back_channel
    (notice,) = await Turn(lambda: told.wait_for(run.site.told_at))

    assert (arrival.url, arrival.answer) == (SIGNED_OUT, {"state": "x"})
    assert notice.at - answered < 2
    _check_logout_token(notice.token, run, flow, before)
    assert await run.refused("backchannel", prompt="none") == "login_required"
    assert len(told.to(run.site.told_at)) == 1


def _check_logout_token(token, run, flow, before):
    """Judge a logout token as OIDCBCL-2.6 says."""
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "RS256", "typ": "logout+jwt", "kid": header["kid"]}
    (key,) = [key for key in run.jwks["keys"] if key["kid"] == header["kid"]]
    says = jwt.decode(
        token,
        jwt.PyJWK(key, "RS256"),
        algorithms=["RS256"],
        audience=run.client("backchannel").client_id,
        issuer=run.issuer,
        leeway=LEEWAY,
    )
    assert set(says) == _SAID
    assert says["events"] == {_EVENT: {}}
    assert (says["sub"], says["sid"]) == (flow.claims["sub"], flow.claims["sid"])
    assert before - LEEWAY <= says["iat"] <= time.time() + LEEWAY
    assert says["iat"] < says["exp"] <= says["iat"] + 120
    assert says["jti"]
