"""GET /keys, POST /keys/rotate, /keys/{kid}/promote, /keys/retire-expired, DELETE /keys/{kid}."""

from typing import Annotated

from fastapi import Path

from insula.clients import service as clients
from insula.keys import emergency, service
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.keys.schemas import Emergency, Key, Keys, Retired, Revoked, Rotation
from insula.management_api.rules import needs

router = router_of("Keys")

Kid = Annotated[str, Path(min_length=1, max_length=200, description="The id of the key.")]


async def _all(caller: Caller) -> list[Key]:
    return [Key.of(key) for key in await service.list_keys(caller.tenant)]


@router.get("/keys", summary="List keys", openapi_extra=needs("keys:read"))
async def list_keys(caller: Calling) -> Keys:
    return Keys(data=await _all(caller))


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
    made = await service.publish(
        caller.tenant, caller.parts.envelope, caller.parts.rotation, algorithms, caller.actor
    )
    return Keys(data=[key for key in await _all(caller) if key.kid in made])


@router.post(
    "/keys/retire-expired",
    summary="Take out keys whose time is over",
    openapi_extra=needs("keys:delete", tier="sensitive", dangerous=True),
)
async def retire_expired_keys(caller: Calling) -> Retired:
    """Keys that no longer sign leave once nothing that they signed can be valid."""
    rotation = caller.parts.rotation
    return Retired(retired=await service.retire_expired(caller.tenant, rotation, caller.actor))


@router.post(
    "/keys/emergency",
    summary="Revoke a key at once",
    openapi_extra=needs("keys:write", tier="sensitive", dangerous=True),
)
async def revoke_key(caller: Calling, wanted: Emergency) -> Revoked:
    """For a key that somebody else may have: no token that it signed is accepted any more."""
    parts = caller.parts
    done = await emergency.revoke(
        caller.tenant, parts.envelope, parts.rotation, wanted.kid, reason=wanted.reason,
        actor=caller.actor,
    )  # fmt: skip
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
async def promote_key(caller: Calling, kid: Kid) -> Key:
    """Refused within 600 seconds of its publication, since verifiers may not have seen it."""
    await service.promote(caller.tenant, kid, caller.parts.rotation, caller.actor)
    return next(key for key in await _all(caller) if key.kid == kid)


@router.delete(
    "/keys/{kid}",
    summary="Take out one key",
    status_code=202,
    openapi_extra=needs("keys:delete", tier="sensitive", dangerous=True),
)
async def retire_key(caller: Calling, kid: Kid) -> Retired:
    """A `next` key at once, a `retiring` one when nothing that it signed can be valid."""
    await service.retire(caller.tenant, kid, caller.parts.rotation, caller.actor)
    return Retired(retired=[kid])
