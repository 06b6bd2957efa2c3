"""What a client may have in its tenant: keys, resource servers and scopes that are there."""

from collections.abc import Mapping

from insula.clients import store
from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import Metadata
from insula.oidc.models import stricter
from insula.tenancy.db import Connection, PlatformSettings
from insula.tenancy.models import PLATFORMS


def check_scopes(tenant_slug: str, metadata: Metadata) -> None:
    """
    Refuse scopes that cross tenants to every tenant but `_platforms` (security row 100).

    Raises `InvalidClientMetadata`.
    """
    if tenant_slug != PLATFORMS and any(
        scope.startswith(("insula:tenants:", "insula:cross-tenant:")) for scope in metadata.scopes
    ):
        raise InvalidClientMetadata("may not hold scopes that cross tenants", field="scopes")


async def check_algorithms(db: Connection, metadata: Metadata) -> None:
    """Refuse algorithms that the tenant has no key for. Raises `InvalidClientMetadata`."""
    active = await store.active_algorithms(db)
    for field in (
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "access_token_alg",
    ):
        alg = getattr(metadata, field)
        if alg is not None and alg not in active:
            raise InvalidClientMetadata(
                f"the tenant has no active {alg} key; make one with "
                f"`insula keys generate --alg {alg}` and promote it",
                field=field,
            )


async def check_resources(
    db: Connection, metadata: Metadata, before: Metadata | None = None
) -> None:
    """
    Refuse resource servers that the tenant does not have, unless they were there *before*.

    Those that are named anew stay until the transaction ends. Raises `InvalidClientMetadata`.
    """
    old = frozenset() if before is None else frozenset().union(*_resources(before).values())
    named = {field: names - old for field, names in _resources(metadata).items()}
    wanted = frozenset().union(*named.values())
    there = await store.resource_servers(db, sorted(wanted)) if wanted else frozenset()
    for field, names in named.items():
        if unknown := sorted(names - there):
            raise InvalidClientMetadata(
                f"the tenant has no resource server {unknown[0]}; make it with "
                "`insula resource-server add`",
                field=field,
            )


async def check_profile(
    db: Connection,
    metadata: Metadata,
    before: Metadata | None = None,
    *,
    supposed: PlatformSettings | None = None,
) -> None:
    """
    Refuse a profile that is looser than the tenant and the platform let one be (protocol.md 3).

    One that the client had *before* may stay: it is held to the stricter one anyway. *supposed* is
    what the platform is taken to have decided. Raises `InvalidClientMetadata`.
    """
    if before is not None and before.profile == metadata.profile:
        return
    loosest = await store.loosest_profile(db, supposed)
    if stricter(metadata.profile, loosest) != metadata.profile:
        raise InvalidClientMetadata(f"{loosest} is the loosest that is allowed", field="profile")


def _resources(metadata: Metadata) -> Mapping[str, frozenset[str]]:
    """Find the resource servers that a client names, by the field that names them."""
    audiences = {
        name
        for each in metadata.exchange_policies
        for name in (each.to_audience, each.from_audience)
    }
    return {
        "resources": frozenset(metadata.resources),
        "default_resource": frozenset({metadata.default_resource}) - {""},
        "exchange_policies": frozenset(audiences) - {""},
    }
