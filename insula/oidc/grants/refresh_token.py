"""
The refresh token grant, RFC6749-6, with rotation (RFC9700-4.14.2).

A refresh token is used once and answers with its successor. If it comes again because the
answer was lost, the same answer is given again for a few seconds; if it comes later, two
parties hold it, and the family ends for both. Never do two lineages live.
"""

from insula.kernel.ids import Kind, new_secret
from insula.oidc import tokens
from insula.oidc.errors import InvalidGrant
from insula.oidc.features.scopes import OPENID, read_narrower
from insula.oidc.issuer import Issuer
from insula.oidc.models import Advance, Caller, Client, NewAccess, StoredRefresh
from insula.oidc.request import Parameters

_REFUSED = "The refresh token is not valid"


async def exchange(issuer: Issuer, client: Client, params: Parameters, caller: Caller) -> bytes:
    """Exchange a refresh token for fresh tokens, or repeat an answer that was lost."""
    presented = params.need("refresh_token")
    stored = await issuer.tokens.read_refresh(presented, client)
    if stored is None or stored.state != "current":
        return await _answer_former(issuer, client, stored, caller)
    if not stored.alive:
        raise InvalidGrant(_REFUSED, detail="not alive")

    granted = read_narrower(params, stored.scopes)
    access_token, access = await tokens.mint_access_token(
        issuer, client, stored.family_id, granted, stored.session
    )
    id_token = None
    if OPENID in granted and client.id_token_on_refresh:
        id_token = await tokens.mint_id_token(issuer, client, stored, granted, access_token)

    if not client.is_public and not client.rotate_refresh_tokens:
        answer = tokens.answer(issuer, access_token, access, id_token=id_token)
        await _touch(issuer, client, presented, stored, access, caller)
        return answer
    successor = new_secret(Kind.REFRESH_TOKEN)
    answer = tokens.answer(issuer, access_token, access, refresh_token=successor, id_token=id_token)
    advance = Advance(
        presented,
        successor,
        client,
        stored,
        access,
        answer,
        issuer.lifetimes.refresh_idle,
        caller,
    )
    if await issuer.tokens.advance_refresh(advance):
        return answer
    # Another request with the same token was first: its answer is the only one there is.
    return await _answer_former(
        issuer, client, await issuer.tokens.read_refresh(presented, client), caller
    )


async def _answer_former(
    issuer: Issuer, client: Client, stored: StoredRefresh | None, caller: Caller
) -> bytes:
    """Repeat the answer within the grace; otherwise end the family, then refuse."""
    if stored is None or stored.state in {"dead", "current"}:
        raise InvalidGrant(_REFUSED, detail=stored.state if stored else "unknown")
    if stored.state == "former" and stored.alive and stored.replay is not None:
        return stored.replay
    if stored.state == "reused":
        await issuer.tokens.revoke_family(stored.family_id, client, caller)
    raise InvalidGrant(_REFUSED, detail=stored.state)


async def _touch(  # noqa: PLR0913  (what the port records)
    issuer: Issuer,
    client: Client,
    presented: str,
    stored: StoredRefresh,
    access: NewAccess,
    caller: Caller,
) -> None:
    idle = issuer.lifetimes.refresh_idle
    if not await issuer.tokens.touch_refresh(presented, client, stored, access, idle, caller):
        raise InvalidGrant(_REFUSED, detail="ended while it was used")
