"""Initial access tokens: what administrators hand to whoever may register clients (DR-2)."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.kernel.errors import Invalid
from insula.kernel.ids import Kind, digest, new_secret
from insula.registration import store
from insula.registration.errors import NoSuchInitialToken
from insula.registration.models import LONGEST_LIFE, MOST_USES, SHORTEST_LIFE, Policy
from insula.tenancy.db import Row, Tenant
from insula.tenancy.models import PLATFORMS

_LABEL: Final = re.compile(r"[^\x00-\x1f\x7f]{0,120}\Z")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")  # RFC6749-3.3


def parse_policy(tenant: Tenant, values: Mapping[str, Any]) -> Policy:
    """Read a policy from outside. Raises `Invalid`."""
    try:
        policy = Policy.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        raise Invalid(str(first["msg"]).removeprefix("Value error, "), field=field) from error
    for scope in policy.scopes or ():
        if not _SCOPE.match(scope):
            raise Invalid("a scope is a word of printable ASCII", field="scopes", example="openid")
        across = scope.startswith(("insula:tenants:", "insula:cross-tenant:"))
        if across and tenant.slug != PLATFORMS:
            raise Invalid("may not hold scopes that cross tenants", field="scopes")
    return policy


async def create(  # noqa: PLR0913  (what a token is, all by name)
    tenant: Tenant,
    *,
    label: str = "",
    uses: int = 1,
    life: timedelta = timedelta(days=1),
    policy: Policy | None = None,
    actor: Actor = SYSTEM,
) -> tuple[str, Row]:
    """
    Make a token, shown here only, good for *uses* registrations within *life*.

    Raises `Invalid`.
    """
    if not _LABEL.match(label):
        raise Invalid("up to 120 characters", field="label", example="build server")
    if not 1 <= uses <= MOST_USES:
        raise Invalid(f"1 to {MOST_USES}", field="uses", example="1")
    if not SHORTEST_LIFE <= life.total_seconds() <= LONGEST_LIFE:
        raise Invalid(f"{SHORTEST_LIFE} to {LONGEST_LIFE} seconds", field="life", example="86400")
    token = new_secret(Kind.INITIAL_ACCESS_TOKEN)
    allowed = (policy or Policy()).model_dump(mode="json", exclude_none=True)
    async with tenant.transaction() as db:
        hashed = digest(Kind.INITIAL_ACCESS_TOKEN, tenant.id, token)
        row = await store.insert_token(db, hashed, label, allowed, uses, life)
        details = {"label": label, "uses": uses, "policy": allowed}
        await audit.record(db, _event("created", row.id, actor, details))
    return token, row


async def list_tokens(tenant: Tenant, *, limit: int = 100) -> Sequence[Row]:
    """The newest tokens; what they are is not known any more."""
    async with tenant.transaction() as db:
        return await store.tokens(db, limit)


async def revoke(tenant: Tenant, token: UUID, actor: Actor = SYSTEM) -> None:
    """Let a token register nothing more; its clients stay. Raises `NoSuchInitialToken`."""
    async with tenant.transaction() as db:
        row = await store.revoke_token(db, token)
        if row is None:
            raise NoSuchInitialToken("There is no initial access token of that id.")
        await audit.record(db, _event("revoked", row.id, actor, {"label": row.label}))


def _event(what: str, token: UUID, actor: Actor, details: Mapping[str, Any]) -> Event:
    return Event(
        f"registration_token.{what}",
        actor,
        target_type="registration_token",
        target_id=str(token),
        metadata=details,
    )
