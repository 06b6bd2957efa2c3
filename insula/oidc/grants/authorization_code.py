"""
The authorization code grant, RFC6749-4.1.3.

Two trips: read the code and all that the tokens need, sign, then spend the code and record
what was issued in one statement. Nothing is locked while we sign, and only the statement
that spends decides: whoever loses there throws the signatures away.
"""

from insula.oidc import tokens
from insula.oidc.artefacts import Redemption, StoredCode
from insula.oidc.errors import InvalidGrant, InvalidRequest, InvalidTarget
from insula.oidc.exchange import Exchange
from insula.oidc.features import pkce, resources
from insula.oidc.features.scopes import OFFLINE, OPENID, still_there
from insula.oidc.request import Parameters

_REFUSED = "The code is not valid"


async def exchange(e: Exchange) -> bytes:
    """Exchange a code for tokens; a second use ends everything that came of the first."""
    issuer, client = e.issuer, e.client
    code = e.params.need("code")
    if client.profile != "oauth21":
        e.params.need("redirect_uri")
    stored = await issuer.tokens.read_code(code, client)
    if stored is None:
        raise InvalidGrant(_REFUSED, detail="unknown, or issued to another client")
    try:
        _check(e, stored)
        granted = still_there(stored.scopes, client, issuer.scopes)
        target = resources.choose(
            e.params, client, stored.resources, granted, issuer.resources, issuer.url
        )
    except (InvalidGrant, InvalidTarget):
        # Burned, so that nobody gets a second guess (RFC9700-4.8); spent before, it is a
        # replay (RFC6749-4.1.2). Both are committed before the client hears of it.
        await issuer.tokens.refuse_code(code, client, e.caller)
        raise

    access_token, access = await tokens.mint_access_token(
        issuer, client, stored.issue_id, target, stored.session, jkt=e.jkt
    )
    id_token = None
    if OPENID in granted:
        about = tokens.Statement.of(stored)
        id_token = await tokens.mint_id_token(issuer, client, about, granted, access_token)
    refresh = e.new_family(is_offline=OFFLINE in granted)

    redemption = Redemption(code, client, stored, access, refresh, e.caller)
    if not await issuer.tokens.redeem_code(redemption):
        await issuer.tokens.refuse_code(code, client, e.caller)
        raise InvalidGrant(_REFUSED, detail="another redemption was first")
    return tokens.answer(
        issuer,
        access_token,
        access,
        stored.scopes,
        refresh_token=refresh.token if refresh else None,
        id_token=id_token,
    )


def _check(e: Exchange, stored: StoredCode) -> None:
    params = e.params
    if stored.state != "live" or not stored.alive:
        raise InvalidGrant(_REFUSED, detail=f"{stored.state}, alive: {stored.alive}")
    _check_redirect_uri(params, stored)
    pkce.check_verifier(params.get("code_verifier"), stored.code_challenge)
    if stored.dpop_jkt is not None and stored.dpop_jkt != e.jkt:
        raise InvalidGrant("The code is bound to another key", detail="DPOP-10")


def _check_redirect_uri(params: Parameters, stored: StoredCode) -> None:
    redirect_uri = params.get("redirect_uri")
    if redirect_uri is None and stored.code_challenge is None:
        # only a change of the client's profile leads here
        raise InvalidRequest("redirect_uri is missing")
    if redirect_uri is not None and redirect_uri != stored.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one of the authorization request")
