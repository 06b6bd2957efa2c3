"""The first administrator, once: from the environment (features.md D11), or by a link (F21)."""

from uuid import UUID

import structlog

from insula.accounts import service as accounts
from insula.accounts.activation import service as activation
from insula.accounts.activation.models import Link
from insula.accounts.errors import UserExists
from insula.accounts.hashing import Passwords
from insula.accounts.models import Role
from insula.audit.models import SYSTEM
from insula.kernel.errors import Conflict
from insula.tenancy.db import Platform, Tenant
from insula.tenancy.models import PLATFORMS
from insula.tenants.founding import invite_superadmin

_log = structlog.get_logger(__name__)

_PLATFORM_ROLES: tuple[Role, ...] = ("superadmin", "platform_admin")
_SINGLE_ROLES: tuple[Role, ...] = ("superadmin",)


async def make_administrator(  # noqa: PLR0913  (facts by name)
    platform: Platform,
    passwords: Passwords,
    tenant_id: UUID,
    *,
    email: str,
    password: str,
    multi_tenant: bool,
) -> bool:
    """
    Make the first administrator if there is none; whether one was made.

    Idempotent, also between processes that start at once: the name is unique. The password is
    for the first sign-in, which replaces it.
    """
    wanted: tuple[Role, ...] = ("platform_admin",) if multi_tenant else ("admin", "superadmin")
    async with platform.within(tenant_id) as db:
        if await accounts.has_admin(db, wanted):
            return False
    hashed = await passwords.hash(tenant_id, password)
    try:
        async with platform.within(tenant_id) as db:
            if await accounts.has_admin(db, wanted):
                return False
            await accounts.create(
                db,
                username="platform-admin" if multi_tenant else "admin",
                email=email,
                email_verified=True,
                password_hash=hashed,
                must_change_password=True,
                roles=_PLATFORM_ROLES if multi_tenant else _SINGLE_ROLES,
            )
    except UserExists as taken:
        async with platform.within(tenant_id) as db:
            if not await accounts.has_admin(db, wanted):  # not another process's doing
                _log.warning("bootstrap.no_administrator", email=email, cause=taken.description)
        return False
    _log.warning("bootstrap.administrator_made", email=email)
    return True


async def invite_administrator(platform: Platform, tenant: Tenant, email: str) -> Link:
    """
    Make the first administrator of a tenant without a password, and the link to choose one (F21).

    Of `_platforms` they run the platform too. As long as nobody administers there, it may be done
    again: who is there already by that address gets the roles that they lack and a new link. It
    ends the ones before, whoever they were made for. Raises `Conflict` once somebody administers,
    and what making a person and a link does.
    """
    also: tuple[Role, ...] = ("platform_admin",) if tenant.slug == PLATFORMS else ()
    async with platform.within(tenant.id) as db:
        if await accounts.has_admin(db, also or ("admin", "superadmin")):
            raise Conflict(
                f"Somebody administers {tenant.slug} already. Make others with `insula user add "
                "--role`, or a new link for one of them with `insula user activation-link`."
            )
        await activation.end_of_role(db, "superadmin", "replaced")
        found = await accounts.find(db, email)
        if found.user is None:
            return await invite_superadmin(db, tenant.id, email, SYSTEM, *also)
        for role in ("superadmin", *also):
            await accounts.grant_role(db, found.user.id, role)
        return await activation.issue(db, tenant.id, found.user.id)
