"""Making a tenant together with the person who will administer it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from insula.accounts.activation import service as activation
from insula.accounts.activation.models import Link
from insula.accounts.administration import service as people
from insula.accounts.errors import InvalidUser
from insula.accounts.models import Role, check_email
from insula.audit.models import SYSTEM, Actor
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Invalid, refusals
from insula.keys.settings import KeyRotation
from insula.tenancy.db import Connection, Platform
from insula.tenant_templates import service as templates
from insula.tenant_templates.models import Choice
from insula.tenants import service
from insula.tenants.models import check_display_name, check_slug, normalise_domain

FIELD = "first_admin_email"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """Who administers a new tenant once they have followed their link."""

    email: str
    link: Link


async def found(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    envelope: Envelope,
    rotation: KeyRotation,
    *,
    first_admin_email: str | None = None,
    template: Choice | None = None,
    actor: Actor = SYSTEM,
    **facts: Any,  # noqa: ANN401  (those of `service.create`)
) -> FirstAdmin | None:
    """
    Make a tenant and, where an address is given, its first administrator: all of it or nothing.

    They are `superadmin`, since nobody else is there who could do what an `admin` may not, and
    have a link in place of a password. What *template* says, the tenant has decided. Raises
    `InvalidUser`, `UnknownTemplate`, what a save of settings and what `service.create` does.
    """
    email = first_admin_email
    if email is not None:
        _check(email)
    made: list[Link] = []

    async def endow(db: Connection, tenant_id: UUID) -> None:
        if template is not None:
            await templates.endow(db, template, actor)
        if email is not None:
            made.append(await invite_superadmin(db, tenant_id, email, actor))

    await service.create(platform, envelope, rotation, endow=endow, actor=actor, **facts)
    return FirstAdmin(email, made[0]) if email is not None else None


def mistakes(
    *, slug: str, display_name: str, domain: str, first_admin_email: str, base: str | None
) -> Iterator[Invalid]:
    """All that `found` would refuse of what was typed, whatever else there is."""
    checks: list[Callable[[], object]] = [
        lambda: check_display_name(display_name),
        lambda: check_slug(slug, host_needed=not domain),
    ]
    if domain:
        checks.append(lambda: normalise_domain(domain, base))
    if first_admin_email:
        checks.append(lambda: _check(first_admin_email))
    return refusals(*checks)


def _check(email: str) -> None:
    try:
        check_email(email)
    except InvalidUser as refusal:
        raise InvalidUser(refusal.description, field=FIELD, example=refusal.example) from refusal


async def invite_superadmin(
    db: Connection, tenant_id: UUID, email: str, actor: Actor, *also: Role
) -> Link:
    """
    Make somebody a tenant's superadmin, in a transaction bound to it; the link of theirs.

    Raises `InvalidUser`, `UserExists` when the user name that the address makes is taken.
    """
    values = {"email": email, "username": people.username_of(email) or "admin"}
    person = await people.create(db, values, ("superadmin", *also), actor)
    return await activation.issue(db, tenant_id, person.id, actor)
