"""
An interaction: what is needed of a person, kept while one browser goes through the steps.

It belongs to the browser that began it, and no other can go on with it.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from insula.kernel import ids
from insula.kernel.ids import digest, new_id
from insula.sign_in.errors import InteractionGone
from insula.sign_in.interactions import store
from insula.sign_in.models import Interaction, Kind, Prompt
from insula.sign_in.settings import InteractionLife
from insula.tenancy.db import Connection, Tenant


def browser_hash(tenant: Tenant, browser: str) -> bytes:
    return digest(ids.Kind.BROWSER, tenant.id, browser)


async def begin(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    browser: str,
    kind: Kind,
    prompt: Prompt,
    life: InteractionLife,
    *,
    client_id: UUID | None = None,
    parameters: dict[str, str] | None = None,
) -> UUID:
    """Store an interaction for this browser; its id. One trip."""
    interaction_id = new_id()
    await store.begin(
        tenant,
        interaction_id,
        browser_hash(tenant, browser),
        kind,
        client_id,
        parameters or {},
        prompt,
        step=timedelta(seconds=life.step_seconds),
        total=timedelta(seconds=life.total_seconds),
    )
    return interaction_id


async def move(
    tenant: Tenant, browser: str, interaction_id: UUID, prompt: Prompt, life: InteractionLife
) -> None:
    """Take an interaction to its next step. Raises `InteractionGone`."""
    step = timedelta(seconds=life.step_seconds)
    if not await store.move(tenant, interaction_id, browser_hash(tenant, browser), prompt, step):
        raise InteractionGone


async def load(tenant: Tenant, browser: str | None, interaction_id: UUID) -> Interaction:
    """The interaction of this browser. Raises `InteractionGone` for any other."""
    found = browser and await store.load(tenant, interaction_id, browser_hash(tenant, browser))
    if not found:
        raise InteractionGone
    return found


async def cancel(tenant: Tenant, browser: str, interaction_id: UUID) -> None:
    await store.cancel(tenant, interaction_id, browser_hash(tenant, browser))


async def decline(tenant: Tenant, browser: str, interaction_id: UUID) -> None:
    """Say no to an application before anything was asked (AZ-11). Raises `InteractionGone`."""
    if not await store.decline(tenant, interaction_id, browser_hash(tenant, browser)):
        raise InteractionGone


async def note_authenticated(  # noqa: PLR0913  (whose, where, and who)
    db: Connection,
    tenant: Tenant,
    browser: str,
    interaction_id: UUID,
    session_id: UUID,
    *,
    selected: bool,
) -> bool:
    """Write into the interaction who was proved or *selected* in it; False if it has ended."""
    return await store.note_authenticated(
        db, interaction_id, browser_hash(tenant, browser), session_id, selected=selected
    )


async def note_consent(  # noqa: PLR0913  (whose, where, and what)
    db: Connection,
    tenant: Tenant,
    browser: str,
    interaction_id: UUID,
    session_id: UUID,
    scopes: Sequence[str] | None,
) -> bool:
    """Write the decision and whose it is into the interaction; False if it has ended."""
    return await store.note_consent(
        db, interaction_id, browser_hash(tenant, browser), session_id, scopes
    )
