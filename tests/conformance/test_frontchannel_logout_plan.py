"""Front-channel logout: the page that says so loads the suite's address with the session."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from sites import CLEAN_UP, SIGNED_OUT
from suite import interleaved


@pytest.mark.spec("OIDCFCL-3", "LO-10")
@interleaved
async def test_oidcc_frontchannel_logout_discovery_endpoint_verification(run):
    assert run.metadata["frontchannel_logout_supported"] is True
    assert run.metadata["frontchannel_logout_session_supported"] is True
    assert urlsplit(run.metadata["end_session_endpoint"]).scheme == "https"


@pytest.mark.spec("OIDCFCL-2", "OIDCFCL-3", "LO-10")
@interleaved
async def test_oidcc_frontchannel_rp_initiated_logout(run):
    flow = await run.flow("frontchannel")

    arrival = await run.visitor.go(
        run.metadata["end_session_endpoint"],
        params={
            "id_token_hint": flow.tokens["id_token"],
            "post_logout_redirect_uri": SIGNED_OUT,
            "state": "x",
        },
    )

    page = arrival.page
    assert arrival.acted == []
    (frame,) = re.findall(r'<iframe [^>]*src="([^"]*)"', page.response.text)
    parts = urlsplit(unescape(frame))
    assert parts._replace(query="").geturl() == CLEAN_UP
    assert dict(parse_qsl(parts.query, strict_parsing=True)) == {
        "iss": run.issuer,
        "sid": flow.claims["sid"],
    }
    policy = page.response.headers["content-security-policy"]
    assert f"frame-src {parts.scheme}://{parts.netloc}" in policy.split("; ")
    assert "frame-ancestors 'none'" in policy.split("; ")
    assert page.response.headers["x-frame-options"] == "DENY"
    assert f"{SIGNED_OUT}?state=x" in page.links
    assert await run.refused("frontchannel", prompt="none") == "login_required"
