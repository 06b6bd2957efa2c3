"""
The device code grant, RFC8628-3.4: a device asks again and again until a person has decided.

As with a code, tokens are signed between a read that refuses and the one statement that
spends: of two polls that come at once, one gets tokens.
"""

from insula.oidc import tokens
from insula.oidc.artefacts import ApprovedDevice, DeviceRedemption, Poll
from insula.oidc.errors import (
    AuthorizationPending,
    DeviceDenied,
    ExpiredToken,
    InvalidGrant,
    PollTooFast,
)
from insula.oidc.exchange import Exchange
from insula.oidc.features import resources
from insula.oidc.features.scopes import OFFLINE, OPENID, still_there

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

_REFUSED = "The device code is not valid"


async def exchange(e: Exchange) -> bytes:
    """Exchange an approved device code for tokens, or say why there are none yet."""
    issuer, client = e.issuer, e.client
    device_code = e.params.need("device_code")
    approved = _judge(await issuer.devices.poll(device_code, client))
    granted = still_there(approved.scopes, client, issuer.scopes)
    target = resources.choose(
        e.params, client, approved.resources, granted, issuer.resources, issuer.url
    )
    access_token, access = await tokens.mint_access_token(
        issuer, client, approved.issue_id, target, approved.session, jkt=e.jkt
    )
    id_token = None
    if OPENID in granted:
        about = tokens.Statement(
            approved.session, approved.person, claims="", auth_time_wanted=client.require_auth_time
        )
        id_token = await tokens.mint_id_token(issuer, client, about, granted, access_token)
    refresh = e.new_family(is_offline=OFFLINE in granted)
    redemption = DeviceRedemption(device_code, client, approved, access, refresh, e.caller)
    if not await issuer.devices.redeem(redemption):
        raise InvalidGrant(_REFUSED, detail="spent, expired or not alive")
    return tokens.answer(
        issuer,
        access_token,
        access,
        approved.scopes,
        refresh_token=refresh.token if refresh else None,
        id_token=id_token,
    )


def _judge(poll: Poll | None) -> ApprovedDevice:
    """RFC8628-3.5, in the order of protocol.md section 6 C."""
    if poll is None or poll.state == "redeemed":
        raise InvalidGrant(_REFUSED, detail=poll.state if poll else "unknown, or another client's")
    if poll.state == "expired":
        raise ExpiredToken("The device code has expired")
    if poll.state == "denied":
        raise DeviceDenied("The person refused the request")
    if poll.state == "too_fast":
        raise PollTooFast("Poll less often: wait five seconds longer each time")
    if poll.approved is None:
        raise AuthorizationPending("The person has not decided yet")
    return poll.approved
