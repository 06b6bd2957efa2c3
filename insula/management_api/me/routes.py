"""GET /me."""

from datetime import UTC, datetime

from insula.management_api.guard import Calling, router_of
from insula.management_api.me.schemas import Me, TenantOfCaller, UserOfCaller
from insula.management_api.rules import needs

router = router_of("Caller")


@router.get("/me", summary="Who calls", openapi_extra=needs(None))
async def show_me(caller: Calling) -> Me:
    """Any token of the tenant that is for this API will do."""
    tenant, client = caller.tenant, caller.client
    user = None
    if caller.user is not None:
        sub = caller.provider.subject(client, caller.user)
        user = UserOfCaller(id=caller.user, sub=sub, roles=sorted(caller.roles))
    return Me(
        client_id=client.client_id,
        client_name=client.name,
        user=user,
        tenant=TenantOfCaller(
            id=tenant.id,
            slug=tenant.slug,
            display_name=tenant.display_name,
            issuer=tenant.issuer,
        ),
        scopes=sorted(caller.scopes),
        expires_at=datetime.fromtimestamp(caller.token.expires_at, UTC),
    )
