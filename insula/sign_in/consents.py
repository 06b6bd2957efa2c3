"""What somebody allows an application, or refuses: written down, and remembered for a while."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import Event
from insula.config_overrides import service as config_overrides
from insula.sign_in import store
from insula.sign_in.errors import InteractionGone
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Interaction, SignedIn
from insula.sign_in.service import Here
from insula.sign_in.settings import ConsentLife
from insula.tenancy.db import Connection, Tenant


async def decide(
    tenant: Tenant,
    here: Here,
    interaction: Interaction,
    person: SignedIn,
    allowed: tuple[str, ...] | None,
) -> None:
    """
    Record what somebody allowed an application, or that they refused (None).

    Only what the stored request asked for can be allowed. Raises `InteractionGone`.
    """
    asked = interaction.prompt
    if allowed is not None:
        required = set(asked.scopes) - set(asked.optional_scopes)
        allowed = tuple(s for s in asked.scopes if s in required or s in allowed)
    async with tenant.transaction() as db:
        noted = await interactions.note_consent(
            db, tenant, here.browser, interaction.id, person.session_id, allowed
        )
        if not noted or interaction.client_id is None:
            raise InteractionGone
        await record_decision(
            db, here, person, interaction.client_id, asked.application, asked.scopes, allowed,
            consent_life(tenant),
        )  # fmt: skip


def consent_life(tenant: Tenant) -> timedelta:
    """How long what somebody allows an application now is remembered."""
    return timedelta(days=config_overrides.of(tenant, ConsentLife).remembered_days)


async def record_decision(  # noqa: PLR0913  (who decided what about which application)
    db: Connection,
    here: Here,
    person: SignedIn,
    client_id: UUID,
    application: str,
    asked: Sequence[str],
    allowed: Sequence[str] | None,
    life: timedelta,
    **where: bool,
) -> None:
    """
    Remember what somebody allowed an application of what it *asked*, or refused (None).

    With its line, in a transaction of the tenant's. It is remembered for *life*; *where* says more
    about it in the record.
    """
    if allowed is not None:
        left_out = [scope for scope in asked if scope not in allowed]
        await store.grant(db, person.user_id, client_id, allowed, left_out, life)
    await audit.record(
        db,
        Event(
            "oauth.authorized",
            replace(here.actor, type="user", id=str(person.user_id)),
            "success" if allowed is not None else "failed",
            target_type="client",
            target_id=str(client_id),
            metadata={"scopes": list(allowed or ()), "application": application, **where},
        ),
    )
