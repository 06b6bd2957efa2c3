"""Asking whose an object is, claiming it for documents, and giving it back to hands."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import InvalidSetting, OwnedByGit
from insula.config_overrides.marks import Ownership
from insula.config_overrides.ownership import release_of
from insula.config_overrides.saving import Claim, Saving
from insula.config_overrides.stored_marks import read_ownership, write_ownership
from insula.kernel.clock import now
from insula.ownership import store
from insula.ownership.models import Owned, Part, Place
from insula.tenancy.db import Connection


async def begin(db: Connection, actor: Actor) -> None:
    """
    Let nobody claim anything before the transaction ends; for hands that change an object.

    Before the object is held: whoever applies documents holds the two in this order.
    """
    if not actor.by_documents:
        await config_overrides.hold(db)


async def refuse(db: Connection, actor: Actor, part: Part, *names: str) -> None:
    """Raise `OwnedByGit` where documents own one of these and *actor* is not applying them."""
    if actor.by_documents or not names:
        return
    rows = await store.some(db, part, names)
    owned = [row.name for row in rows if read_ownership(row.owned).released is None]
    if owned:
        raise OwnedByGit([str(Place(part, name)) for name in owned])


async def every(db: Connection) -> Owned:
    """Whose the objects of the bound tenant are, as far as documents ever claimed them."""
    return {Place(row.part, row.name): read_ownership(row.owned) for row in await store.every(db)}


async def of(db: Connection, part: Part, name: str) -> Ownership | None:
    """Whose documents own an object now; None: anybody's who may."""
    rows = await store.some(db, part, [name])
    found = read_ownership(rows[0].owned) if rows else None
    return None if found is None or found.released else found


async def claim(
    db: Connection, parts: Mapping[Part, Collection[str]], actor: Actor, claim: Claim
) -> None:
    """
    Make all that a document names of these *parts* the actor's, and the rest of them nobody's.

    What is theirs already keeps its date, unless another source is named.
    """
    before = await every(db)
    saving = Saving(actor)
    by = saving.signature()
    fresh = Ownership(by, datetime.fromtimestamp(now(), UTC), claim.source)
    for part, names in parts.items():
        await store.keep_only(db, part, sorted(names))
        anew = {}
        for name in names:
            held = before.get(Place(part, name))
            is_theirs = held is not None and held.released is None and held.by == by
            if not is_theirs or claim.source not in ("", held.source if held else ""):
                anew[name] = write_ownership(fresh)
        if anew:
            await store.put(db, part, anew)
            details = {"claimed": sorted(anew), "source": claim.source}
            await _record(db, part, actor, details)


async def release(db: Connection, place: Place, reason: str, actor: Actor) -> None:
    """
    Give an object back to hands, until the documents are applied again.

    Raises `InvalidSetting` for one that nobody owns and for a reason that is missing or too long.
    """
    given = release_of(Saving(actor, reason))
    await config_overrides.hold(db)
    owner = await of(db, place.part, place.name)
    if owner is None:
        raise InvalidSetting("No documents own this", field=str(place))
    owned = write_ownership(replace(owner, released=given))
    await store.put(db, place.part, {place.name: owned})
    await _record(db, place.part, actor, {"released": [place.name], "reason": given.reason})


async def _record(db: Connection, part: Part, actor: Actor, details: Mapping[str, object]) -> None:
    await audit.record(
        db, Event("config.updated", actor, target_type="config", target_id=part, metadata=details)
    )
