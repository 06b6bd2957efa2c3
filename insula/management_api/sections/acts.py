"""What is done to settings, the same for a tenant's own host and for the platform's."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides import ownership, service
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import BoundViolated, OwnedByGit
from insula.config_overrides.impacts import Impact
from insula.config_overrides.marks import in_words
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers, etag
from insula.config_overrides.resolution import resolve
from insula.config_overrides.saving import Saving
from insula.kernel.crypto import Envelope
from insula.kernel.settings import Section
from insula.management_api.problems import Refusal, WrongField
from insula.management_api.sections.schemas import SectionState
from insula.management_api.sections.told import Change
from insula.tenancy.db import Connection

#: Opens a transaction that is bound to the tenant.
Open = Callable[[], AbstractAsyncContextManager[Connection]]

#: Other spellings that are taken (features.md Z01).
_ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "branding": {"companyName": "company_name", "logo": "logo_light"}
}


def saving(
    envelope: Envelope,
    actor: Actor,
    if_match: str | None,
    *,
    required: bool = False,
    reason: str = "",
) -> Saving:
    """Who saves what they had read. Raises `Refusal` where it must be said and is not."""
    if if_match is None and required:
        raise Refusal(428, "precondition_required", "Say with If-Match which version you read.")
    expected = None if if_match is None or if_match.strip() == "*" else if_match.strip().strip('"')
    return Saving(actor, reason, expected, envelope)


def tag(response: Response, stored: object) -> None:
    """Give an answer the ETag of what is stored."""
    response.headers["ETag"] = f'"{etag(stored)}"'


def named(section: type[Section], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by our names of their fields."""
    aliases = _ALIASES.get(section.key, {})
    return {aliases.get(name, name): value for name, value in values.items()}


@contextmanager
def telling_fields() -> Iterator[None]:
    """
    Name every field that documents own, or whose value is beyond a bound.

    Of a bound it says which it is, and who set it (C05).
    """
    try:
        yield
    except OwnedByGit as refusal:
        owned = [WrongField(field=place, code=refusal.code) for place in refusal.fields]
        raise Refusal(409, refusal.code, refusal.description, errors=owned) from refusal
    except BoundViolated as refusal:
        errors = [
            WrongField(
                field=each.field,
                code=refusal.code,
                bound=each.bound,
                set_by=f"{in_words(each.mark.by)} at {each.mark.at}" if each.mark else None,
            )
            for each in refusal.violations
        ]
        raise Refusal(
            422, refusal.code, "The platform has bounds for these values.", errors=errors
        ) from refusal


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts on one tenant's settings; each is a transaction of *opened*."""

    opened: Open

    async def show(
        self, section: type[Section], response: Response, *, explained: bool
    ) -> SectionState:
        async with self.opened() as db:
            layers = await service.load_in(db)
        return told(section, layers, response, explained=explained)

    async def release(
        self, section: type[Section], fields: Sequence[str], how: Saving, response: Response
    ) -> SectionState:
        async with self.opened() as db:
            await ownership.release_in(db, section, fields, how)
            layers = await service.load_in(db)
        return told(section, layers, response, explained=True)

    async def preview(
        self,
        catalogue: Catalogue,
        section: type[Section],
        values: Mapping[str, Any],
        how: Saving,
        *,
        names: bool = False,
    ) -> tuple[list[Change], list[Impact]]:
        """What a save would change in force and whom it would shut out: it is made, taken back."""
        seen: list[Layers] = []
        impacts: list[Impact] = []
        with contextlib.suppress(_TakenBackError), telling_fields():
            async with self.opened() as db:
                seen.append(await service.load_in(db))
                await service.change_in(db, section, named(section, values), how)
                seen.append(await service.load_in(db))
                impacts = await catalogue.impacts(db, section, *seen, names=names)
                _take_back()
        old, new = (resolve(section, layers).model_dump(mode="json") for layers in seen)
        changes = [
            Change(field=f"{section.key}.{name}", before=mask(old[name]), after=mask(new[name]))
            for name in new
            if new[name] != old[name]
        ]
        if any(impact.names for impact in impacts):
            async with self.opened() as db:
                await _note_names(db, section, how)
        return changes, impacts


async def _note_names(db: Connection, section: type[Section], how: Saving) -> None:
    """Record who had applications named by a preview."""
    details = {"what": "applications of a preview"}
    await audit.record(
        db,
        Event(
            "data.exported", how.actor, "info", target_type="config", target_id=section.key,
            metadata=details,
        ),
    )  # fmt: skip


class _TakenBackError(Exception):
    """Ends a preview."""


def _take_back() -> None:
    """Leave the transaction of a preview so that nothing of it stays."""
    raise _TakenBackError


def told(
    section: type[Section], layers: Layers, response: Response, *, explained: bool = False
) -> SectionState:
    """A section of a tenant, with its ETag."""
    tag(response, layers.seen("tenant", section.key))
    return SectionState.of(section, layers, explained=explained)
