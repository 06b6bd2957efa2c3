"""
The authorization code grant, RFC6749-4.1.3.

Two trips: read the code and all that the tokens need, sign, then spend the code and record
what was issued in one statement. Nothing is locked while we sign, and only the statement
that spends decides: whoever loses there throws the signatures away.
"""

from insula.kernel.ids import Kind, new_secret
from insula.oidc import tokens
from insula.oidc.errors import InvalidGrant, InvalidRequest
from insula.oidc.features import pkce
from insula.oidc.features.scopes import OFFLINE, OPENID
from insula.oidc.issuer import Issuer
from insula.oidc.models import Caller, Client, NewRefresh, Redemption, StoredCode
from insula.oidc.request import Parameters

_REFUSED = "The code is not valid"


async def exchange(issuer: Issuer, client: Client, params: Parameters, caller: Caller) -> bytes:
    """Exchange a code for tokens; a second use ends everything that came of the first."""
    code = params.need("code")
    if client.profile != "oauth21":
        params.need("redirect_uri")
    stored = await issuer.tokens.read_code(code, client)
    if stored is None:
        raise InvalidGrant(_REFUSED, detail="unknown, or issued to another client")
    try:
        _check(stored, params)
    except InvalidGrant:
        # Burned, so that nobody gets a second guess (RFC9700-4.8); spent before, it is a
        # replay (RFC6749-4.1.2). Both are committed before the client hears of it.
        await issuer.tokens.refuse_code(code, client, caller)
        raise

    access_token, access = await tokens.mint_access_token(
        issuer, client, stored.issue_id, stored.scopes, stored.session
    )
    id_token = None
    if OPENID in stored.scopes:
        id_token = await tokens.mint_id_token(issuer, client, stored, stored.scopes, access_token)
    refresh = _new_family(issuer, client, stored)

    redemption = Redemption(code, client, stored, access, refresh, caller)
    if not await issuer.tokens.redeem_code(redemption):
        await issuer.tokens.refuse_code(code, client, caller)
        raise InvalidGrant(_REFUSED, detail="another redemption was first")
    return tokens.answer(
        issuer,
        access_token,
        access,
        refresh_token=refresh.token if refresh else None,
        id_token=id_token,
    )


def _check(stored: StoredCode, params: Parameters) -> None:
    if stored.state != "live" or not stored.alive:
        raise InvalidGrant(_REFUSED, detail=f"{stored.state}, alive: {stored.alive}")
    redirect_uri = params.get("redirect_uri")
    if redirect_uri is None and stored.code_challenge is None:
        # only a change of the client's profile leads here
        raise InvalidRequest("redirect_uri is missing")
    if redirect_uri is not None and redirect_uri != stored.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one of the authorization request")
    pkce.check_verifier(params.get("code_verifier"), stored.code_challenge)


def _new_family(issuer: Issuer, client: Client, stored: StoredCode) -> NewRefresh | None:
    """Make a refresh token if the client may have one (RT-1)."""
    is_offline = OFFLINE in stored.scopes
    if "refresh_token" not in client.grant_types:
        return None
    if not is_offline and not client.refresh_without_offline_access:
        return None
    return NewRefresh(
        new_secret(Kind.REFRESH_TOKEN),
        issuer.lifetimes.refresh_idle,
        issuer.lifetimes.refresh_absolute,
        bound_to_session=not is_offline,
    )
