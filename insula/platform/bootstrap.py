"""The first administrator, from the environment, once (features.md D11)."""

from uuid import UUID

import structlog

from insula.accounts import service as accounts
from insula.accounts.errors import UserExists
from insula.accounts.hashing import Passwords
from insula.accounts.models import Role
from insula.tenancy.db import Platform

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
