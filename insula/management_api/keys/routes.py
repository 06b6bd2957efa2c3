"""GET /keys, /keys/adoption, POST /keys/rotate, /keys/{kid}/promote, DELETE /keys/{kid}, others."""

from typing import Annotated

from fastapi import Path

from insula.clients import service as clients
from insula.keys import adoption, emergency, service
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.keys.schemas import (
    Adoption,
    Emergency,
    Key,
    Keys,
    Promotion,
    Retired,
    Revoked,
    Rotation,
)
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.rules import needs

router = router_of("Keys")

Kid = Annotated[str, Path(min_length=1, max_length=200, description="The id of the key.")]


async def _all(caller: Caller) -> list[Key]:
    return [Key.of(key) for key in await service.list_keys(caller.tenant)]


@router.get("/keys", summary="List keys", openapi_extra=needs("keys:read"))
async def list_keys(caller: Calling) -> Keys:
    return Keys(data=await _all(caller))


@router.get(
    "/keys/adoption", summary="Who knows the published keys", openapi_extra=needs("keys:read")
)
async def list_adoption(
    caller: Calling, limit: Limit = 25, after: After = None
) -> PageOf[Adoption]:
    """
    Each active application with the keys it was last seen with.

    `fetched`: the JWKS was asked for from where this application alone proves itself. `used`: it
    brought a token of the key. Times are exact to an hour, and neither proves that it verifies
    signatures.
    """
    cursors, of = caller.parts.cursors, caller.tenant.id
    place = cursors.open(of, "keys adoption", after, 1)[0] if after else ""
    async with caller.tenant.transaction() as db:
        found = await adoption.page(db, after=place, limit=limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return PageOf(
        data=[Adoption.of(each) for each in shown],
        next=cursors.seal(of, "keys adoption", [shown[-1].client_id]) if more else None,
        has_more=more,
    )


@router.post(
    "/keys/rotate",
    summary="Publish the next keys",
    status_code=201,
    openapi_extra=needs("keys:write", tier="sensitive", dangerous=True),
)
async def rotate_keys(caller: Calling, wanted: Rotation | None = None) -> Keys:
    """One new key for each algorithm, published as `next`; it signs once it is promoted."""
    chosen = None if wanted is None or wanted.algorithms is None else wanted.algorithms
    algorithms = None if chosen is None else sorted(set(chosen))
    made = await service.publish(caller.tenant, caller.parts.envelope, algorithms, caller.actor)
    return Keys(data=[key for key in await _all(caller) if key.kid in made])


@router.post(
    "/keys/retire-expired",
    summary="Take out keys whose time is over",
    openapi_extra=needs("keys:delete", tier="sensitive", dangerous=True),
)
async def retire_expired_keys(caller: Calling) -> Retired:
    """Keys that no longer sign leave once nothing that they signed can be valid."""
    return Retired(retired=await service.retire_expired(caller.tenant, caller.actor))


@router.post(
    "/keys/emergency",
    summary="Revoke a key at once",
    openapi_extra=needs("keys:write", tier="sensitive", dangerous=True),
)
async def revoke_key(caller: Calling, wanted: Emergency) -> Revoked:
    """For a key that somebody else may have: no token that it signed is accepted any more."""
    done = await emergency.revoke(
        caller.tenant,
        caller.parts.envelope,
        wanted.kid,
        reason=wanted.reason,
        actor=caller.actor,
    )
    page = await clients.list_clients(caller.tenant, limit=1000)
    touched = [
        row.client_id
        for row in page
        if row.metadata.get("id_token_signed_response_alg", "RS256") == done.alg
    ]
    return Revoked(revoked=done.kid, alg=done.alg, signs_now=done.successor, clients=touched)


@router.post(
    "/keys/{kid}/promote",
    summary="Let a published key sign",
    openapi_extra=needs("keys:write", tier="sensitive", dangerous=True),
)
async def promote_key(caller: Calling, kid: Kid, wanted: Promotion | None = None) -> Key:
    """
    Refused while verifiers may not know it.

    That is within 600 seconds of its publication, and while an important application is behind,
    unless a reason is given why it must sign all the same.
    """
    override = None if wanted is None else wanted.override_reason
    await service.promote(caller.tenant, kid, override=override, actor=caller.actor)
    return next(key for key in await _all(caller) if key.kid == kid)


@router.delete(
    "/keys/{kid}",
    summary="Take out one key",
    status_code=202,
    openapi_extra=needs("keys:delete", tier="sensitive", dangerous=True),
)
async def retire_key(caller: Calling, kid: Kid) -> Retired:
    """A `next` key at once, a `retiring` one when nothing that it signed can be valid."""
    await service.retire(caller.tenant, kid, caller.actor)
    return Retired(retired=[kid])
