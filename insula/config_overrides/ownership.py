"""
Fields that documents own (BEY-12): claimed by an apply, refused to hands, released with a reason.

Who owns a field stands in the mark of its value, so a field that the documents take away is
nobody's again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from insula.audit import service as audit
from insula.audit.models import Event
from insula.config_overrides import store
from insula.config_overrides.errors import InvalidSetting, OwnedByGit
from insula.config_overrides.marks import Mark, Ownership, Release, in_words
from insula.config_overrides.models import Layers, Stored, Values
from insula.config_overrides.saving import Saving, check_fields, held, raw_marks
from insula.config_overrides.stored_marks import write_ownership
from insula.kernel.clock import now
from insula.kernel.settings import Section
from insula.tenancy.db import Connection

_LONGEST_REASON: Final = 500


def check(layers: Layers, changed: Mapping[str, Sequence[str]], saving: Saving) -> None:
    """Raise `OwnedByGit` when *saving* is by hand and what it changes is owned."""
    if saving.claim is not None:
        return
    places = [f"{key}.{name}" for key, names in sorted(changed.items()) for name in names]
    owned = [place for place in places if is_owned(layers, place)]
    if owned:
        raise OwnedByGit(owned)


def is_owned(layers: Layers, place: str) -> bool:
    """Whether documents own a field, by its `section.field`."""
    mark = layers.own_marks.get(place)
    return mark is not None and mark.owner is not None


def owners(layers: Layers) -> list[Mapping[str, Any]]:
    """Whose documents own fields here, released ones included; one for each field."""
    return [mark.owned.by for mark in layers.own_marks.values() if mark.owned]


def claimed(
    layers: Layers, own: Stored, wanted: Mapping[type[Section], Values], saving: Saving
) -> dict[str, dict[str, Ownership]]:
    """
    By section and field, what a save of documents makes its own, or names another source of.

    *own* is everything as it is stored then.
    """
    found: dict[str, dict[str, Ownership]] = {}
    if saving.claim is None:
        return found
    by, source = saving.signature(), saving.claim.source
    for section, values in wanted.items():
        kept = own.get(section.key, {})
        for name in values.keys() & section.model_fields.keys() & kept.keys():
            mark = layers.own_marks.get(f"{section.key}.{name}")
            before = mark.owner if mark else None
            if before is None or before.by != by or source not in ("", before.source):
                fresh = Ownership(by, datetime.fromtimestamp(now(), UTC), source)
                found.setdefault(section.key, {})[name] = fresh
    return found


def remarked(
    layers: Layers, section: str, own: Values, names: Sequence[str], saving: Saving
) -> dict[str, Any]:
    """The marks of a section after a save of *names*: who set what, and whose it stays."""
    before = raw_marks(layers.own_marks, section, own)
    kept = {n: {"owned": before[n]["owned"]} for n in before if "owned" in before[n]}
    return {**before, **{n: {**kept.get(n, {}), **saving.mark()} for n in names if n in own}}


def put(marks: dict[str, Any], fresh: Mapping[str, Ownership], saving: Saving) -> None:
    """Write into the marks of a section who owns what from now on."""
    for name, owned in fresh.items():
        marks.setdefault(name, saving.mark())["owned"] = write_ownership(owned)


async def note_claims(
    db: Connection, layers: Layers, fresh: Mapping[str, Mapping[str, Ownership]], saving: Saving
) -> None:
    """Record which fields were not owned before."""
    for key, fields in sorted(fresh.items()):
        names = sorted(name for name in fields if not is_owned(layers, f"{key}.{name}"))
        if names:
            details = {"claimed": names, "source": saving.claim.source if saving.claim else ""}
            await _record(db, key, details, saving)


async def release_in(
    db: Connection, section: type[Section], fields: Sequence[str], saving: Saving
) -> None:
    """
    Give *fields* of the bound tenant's section back to hands; their values stay.

    Raises `NotOverridable`, and `InvalidSetting` for a field that nobody owns and for a reason that
    is missing or too long.
    """
    check_fields(section, fields)
    given = release_of(saving)
    if not fields:
        raise InvalidSetting("Name the fields", field="fields")
    layers = await held(db)
    marks = raw_marks(layers.own_marks, section.key, layers.own.get(section.key, {}))
    for name in fields:
        owner = _owner(layers.own_marks.get(f"{section.key}.{name}"))
        if owner is None:
            raise InvalidSetting("No documents own this", field=f"{section.key}.{name}")
        marks[name]["owned"] = write_ownership(replace(owner, released=given))
    await store.write(db, section.key, layers.own[section.key], marks)
    details = {"released": sorted(set(fields)), "reason": given.reason}
    await _record(db, section.key, details, saving)


def release_of(saving: Saving) -> Release:
    """
    The release that somebody gives now, of a field or of an object.

    Raises `InvalidSetting` for a reason that is missing or too long.
    """
    reason = saving.reason.strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise InvalidSetting(f"Say why, in at most {_LONGEST_REASON} characters", field="reason")
    return Release(saving.signed(), datetime.fromtimestamp(now(), UTC), reason)


def states(layers: Layers) -> dict[str, str]:
    """Of each field that documents own or owned, in words: `owned`, or who released it and why."""
    return {place: told(mark.owned) for place, mark in layers.own_marks.items() if mark.owned}


def told(owned: Ownership) -> str:
    """Whether something is owned, or who released it and why; a few words."""
    given = owned.released
    if given is None:
        return "owned"
    return f"released by {in_words(given.by)} on {given.at:%Y-%m-%d}: {given.reason}"


def _owner(mark: Mark | None) -> Ownership | None:
    return mark.owner if mark else None


async def _record(db: Connection, key: str, details: Mapping[str, Any], saving: Saving) -> None:
    await audit.record(
        db,
        Event(
            "config.updated", saving.actor, target_type="config", target_id=key, metadata=details
        ),
    )
