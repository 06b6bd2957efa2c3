"""
The refresh token grant, RFC6749-6, with rotation (RFC9700-4.14.2).

A refresh token is used once and answers with its successor. If it comes again because the
answer was lost, the same answer is given again for a few seconds; if it comes later, two
parties hold it, and the family ends for both. Never do two lineages live.
"""

from insula.kernel.ids import Kind, new_secret
from insula.oidc import tokens
from insula.oidc.artefacts import Advance, NewAccess, StoredRefresh
from insula.oidc.errors import InvalidDpopProof, InvalidGrant
from insula.oidc.exchange import Exchange
from insula.oidc.features import resources
from insula.oidc.features.scopes import OPENID, asked_for, read_narrower, still_there

_REFUSED = "The refresh token is not valid"


async def exchange(e: Exchange) -> bytes:
    """Exchange a refresh token for fresh tokens, or repeat an answer that was lost."""
    issuer, client = e.issuer, e.client
    presented = e.params.need("refresh_token")
    stored = await issuer.tokens.read_refresh(presented, client)
    if stored is None or stored.state != "current":
        return await _answer_former(e, stored)
    if not stored.alive:
        raise InvalidGrant(_REFUSED, detail="not alive")
    _check_key(e, stored)

    left = still_there(stored.meant, client, issuer.scopes)
    granted = read_narrower(e.params, stored.scopes, left)
    target = resources.choose(
        e.params, client, stored.resources, granted, issuer.resources, issuer.url
    )
    resources.refuse_foreign(asked_for(e.params), target, issuer.resources)
    access_token, access = await tokens.mint_access_token(
        issuer, client, stored.family_id, target, stored.session, jkt=e.jkt
    )
    id_token = None
    if OPENID in granted and client.id_token_on_refresh:
        about = tokens.Statement.of(stored)
        id_token = await tokens.mint_id_token(issuer, client, about, granted, access_token)

    if not _rotates(e, stored):
        answer = tokens.answer(issuer, access_token, access, granted, id_token=id_token)
        await _touch(e, presented, stored, access)
        return answer
    successor = new_secret(Kind.REFRESH_TOKEN)
    answer = tokens.answer(
        issuer, access_token, access, granted, refresh_token=successor, id_token=id_token
    )
    advance = Advance(
        presented,
        successor,
        client,
        stored,
        access,
        answer,
        issuer.lifetimes.refresh_idle,
        e.caller,
    )
    if await issuer.tokens.advance_refresh(advance):
        return answer
    # Another request with the same token was first: its answer is the only one there is.
    return await _answer_former(e, await issuer.tokens.read_refresh(presented, client))


def _check_key(e: Exchange, stored: StoredRefresh) -> None:
    """A public client's refresh token is worth something with its key only (DPOP-5)."""
    if stored.dpop_jkt is not None and e.jkt is None:
        raise InvalidDpopProof("A DPoP proof is needed with this refresh token")
    if stored.dpop_jkt is not None and stored.dpop_jkt != e.jkt:
        raise InvalidGrant(_REFUSED, detail="proven with another key")


def _rotates(e: Exchange, stored: StoredRefresh) -> bool:
    """RFC9700-4.14.2: a public client's always, unless a key protects it; others as they like."""
    must = e.client.is_public and stored.dpop_jkt is None
    return must or e.client.rotate_refresh_tokens


async def _answer_former(e: Exchange, stored: StoredRefresh | None) -> bytes:
    """Repeat the answer within the grace; otherwise end the family, then refuse."""
    if stored is None or stored.state in {"dead", "current"}:
        raise InvalidGrant(_REFUSED, detail=stored.state if stored else "unknown")
    if stored.state == "former" and stored.alive and stored.replay is not None:
        _check_key(e, stored)
        if stored.replay_jkt != e.jkt:
            raise InvalidGrant(_REFUSED, detail="the answer was bound to another key")
        return stored.replay
    if stored.state == "reused":
        await e.issuer.tokens.revoke_family(stored.family_id, e.client, e.caller)
    raise InvalidGrant(_REFUSED, detail=stored.state)


async def _touch(e: Exchange, presented: str, stored: StoredRefresh, access: NewAccess) -> None:
    idle = e.issuer.lifetimes.refresh_idle
    if not await e.issuer.tokens.touch_refresh(presented, e.client, stored, access, idle, e.caller):
        raise InvalidGrant(_REFUSED, detail="ended while it was used")
