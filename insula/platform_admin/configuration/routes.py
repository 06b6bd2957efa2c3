"""One section on its way from a form over a review to a save, whoever's it is."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import plans
from insula.config_overrides.errors import OwnedByGit, SectionUnknown, VersionConflict
from insula.config_overrides.models import Values
from insula.config_overrides.resolution import violations
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Conflict, InsulaError, Invalid
from insula.platform_admin.configuration import changes as diffs
from insula.platform_admin.configuration.controls import (
    Errors,
    about,
    label,
    mistakes,
    picker,
    title,
)
from insula.platform_admin.configuration.desk import Desk
from insula.platform_admin.configuration.lines import as_typed, parts_of
from insula.platform_admin.configuration.planned import marked
from insula.platform_admin.guard import Form, Panel, kept_of, platform_actor
from insula.platform_admin.people import names
from insula.sign_in.guard import go_to, only, tenant_of

_LONGEST_REASON = 500
_DONE = {
    "saved": "Saved. It is in force on every process within a second.",
    "planned": "Planned. Nothing has changed yet.",
    "withdrawn": "Taken back. Nothing has changed, and nothing is planned.",
    "released": "Released. It may be changed here until the files are applied again.",
    "restored": "The version is decided again. It is in force within a second.",
    "imported": "The settings are imported. They are in force within a second.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said beside changes: why, and when; *errors* by field."""

    reason: str = ""
    is_later: bool = False
    days: str = "7"
    errors: Mapping[str, str] = field(default_factory=dict)


_NOTHING_SAID: Final = Said()

Opened = Callable[[Panel, Request], Awaitable[Desk]]
_Show = Callable[[Panel, Request, AdminSession], Awaitable[Response]]
_Act = Callable[[Panel, Request, AdminSession, Form], Awaitable[Response]]


def pages_of(opened: Opened, name: str) -> tuple[_Show, _Act, _Act, _Show]:
    """The form, its review, the save, and the review of a reset; of the desk that is *opened*."""

    async def show(panel: Panel, request: Request, session: AdminSession) -> Response:
        desk, kept = await opened(panel, request), kept_of(request)
        if not kept:
            return form_page(panel, request, session, desk)
        meanwhile = "" if only(kept, "etag") == desk.etag else await desk.meanwhile()
        values, errors = (
            (desk.reviewed(only(kept, "changes")), {}) if "changes" in kept else desk.typed(kept)
        )
        return form_page(
            panel, request, session, desk, values=values, errors=errors, meanwhile=meanwhile
        )

    async def review(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
        return await review_form(panel, request, session, form, await opened(panel, request))

    async def save(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
        return await _save(panel, request, session, form, await opened(panel, request))

    async def reset(panel: Panel, request: Request, session: AdminSession) -> Response:
        desk = await opened(panel, request)
        field, part = (request.query_params.get(name) for name in ("field", "part"))
        own = [line.control for line in desk.lines if line.is_own and not line.owner]
        names = [c.name for c in own if field in (None, c.name) and part in (None, c.part)]
        if not names:
            return go_to(desk.address)
        return await review_page(panel, request, session, desk, dict.fromkeys(names))

    for verb, page in (("show", show), ("review", review), ("save", save), ("reset", reset)):
        page.__name__ = f"{verb}_{name}"
    return show, review, save, reset


def form_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    desk: Desk,
    *,
    values: Values | None = None,
    errors: Errors | None = None,
    status: int = 200,
    meanwhile: str = "",
    note: str = "",
) -> Response:
    """The form, with what was typed and what was wrong with it; a secret is not given back."""
    errors = errors or {}
    if values is not None:
        values = {name: v for name, v in values.items() if name not in desk.section.secrets()}
    planned = desk.planned
    shown = marked(desk.lines, planned)
    lines = as_typed(shown, values, errors) if values is not None else shown
    tenant = desk.frame.get("tenant")
    response = panel.show(
        request,
        session,
        desk.template,
        current=desk.current,
        status=status,
        section=desk.section,
        title_of=title(desk.section),
        about=about(desk.section),
        lines=lines,
        fields=",".join(line.control.name for line in lines if not line.is_fixed),
        is_own=any(line.is_own and not line.owner for line in lines),
        parts=parts_of(lines),
        is_editable=session.runs_platform and not (tenant and tenant.protected),
        address=desk.address,
        etag=desk.etag,
        picker=picker,
        errors=[
            (name or "fields", f"{label(name)}: {text}" if name else text)
            for name, text in errors.items()
        ],
        meanwhile=meanwhile,
        planned=planned,
        note=note or _DONE.get(request.query_params.get("done", ""), ""),
        **{"derived": {}, **desk.frame},
    )
    if desk.policy:
        response.headers["content-security-policy"] = desk.policy
    return response


def fields_kept(panel: Panel, request: Request) -> Iterable[str]:
    """What of a section fills in its form again; its secrets do not."""
    with suppress(SectionUnknown):
        section = panel.catalogue.get(request.path_params["section"])
        return ("etag", "fields", *(section.model_fields.keys() - section.secrets()))
    return ()


def changes_kept(panel: Panel, request: Request) -> Iterable[str]:
    """What fills in the form of a section whose review came too late, as `fields_kept`."""
    with suppress(SectionUnknown):
        section = panel.catalogue.get(request.path_params["section"])
        return () if section.secrets() else ("etag", "changes")
    return ()


async def review_form(
    panel: Panel, request: Request, session: AdminSession, form: Form, desk: Desk
) -> Response:
    """What a form would change, or the form again with what is wrong with it."""
    values, errors = desk.typed(form)
    if only(form, "etag") != desk.etag:
        text = await desk.meanwhile()
        return form_page(panel, request, session, desk, values=values, status=409, meanwhile=text)
    changed = diffs.differing(desk.lines, values)
    errors |= _wrong(desk, {name: v for name, v in changed.items() if name not in errors})
    if errors:
        errors = {name: errors[name] for name in desk.section.model_fields if name in errors}
        return form_page(panel, request, session, desk, values=values, errors=errors, status=422)
    if desk.seal is not None and desk.section.secrets() & changed.keys():
        try:
            changed = dict(await desk.seal(changed))
        except Invalid as refusal:
            errors = diffs.refused(refusal, desk.section, desk.known)
            return form_page(
                panel,
                request,
                session,
                desk,
                values=values,
                errors=errors,
                status=422,
            )
    if not changed:
        return form_page(panel, request, session, desk, note="Nothing is changed, so there is "
                         "nothing to save.")  # fmt: skip
    return await review_page(panel, request, session, desk, changed)


def _wrong(desk: Desk, changed: Values) -> Errors:
    """What of the changes the section or a bound refuses."""
    set_here = {name: value for name, value in changed.items() if value is not None}
    if desk.scope == "bounds":
        found: Errors = {}
        for name, value in set_here.items():
            found |= mistakes(desk.section, {}, {name: value})
        return found
    errors = mistakes(desk.section, desk.whole, set_here)
    fine = {name: value for name, value in set_here.items() if name not in errors}
    broken = violations(desk.section, fine, desk.layers)
    return errors | diffs.beyond(desk.section, broken, desk.known)


async def review_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    desk: Desk,
    changed: Values,
    *,
    said: Said = _NOTHING_SAID,
    names: bool = False,
) -> Response:
    """
    What *changed* would be, before it is saved; None takes a field back.

    With *names* it says who is shut out, which is recorded.
    """
    is_reset = all(value is None for value in changed.values()) and desk.scope != "bounds"
    looking = platform_actor(request, session) if names else None
    planned = desk.planned
    return panel.show(
        request,
        session,
        "settings_review.html",
        current=desk.current,
        status=422 if said.errors else 200,
        title_of=title(desk.section),
        scope=desk.scope,
        rows=diffs.rows(desk.section, desk.lines, changed),
        is_reset=is_reset,
        effects=diffs.effects(desk.section) if desk.scope != "bounds" else (),
        planned=planned,
        both=[label(name) for name in changed if planned and name in planned.becomes],
        most_days=plans.MOST_DAYS,
        **await desk.foreseen(changed, looking),
        changes=diffs.write(dict(changed)),
        address=desk.address,
        etag=desk.etag,
        said=said,
        tenant=desk.frame.get("tenant"),
    )


async def _save(
    panel: Panel, request: Request, session: AdminSession, form: Form, desk: Desk
) -> Response:
    changed = diffs.read(only(form, "changes"))
    values = {name: value for name, value in changed.items() if name in desk.section.model_fields}
    kept = desk.reviewed(only(form, "changes"))
    if only(form, "back"):
        return form_page(panel, request, session, desk, values=kept)
    said, names = _said(form), bool(only(form, "names"))
    if said.errors or names:
        return await review_page(panel, request, session, desk, values, said=said, names=names)
    saving = saving_of(panel, request, session, form)
    try:
        await desk.save(values, saving, int(said.days) if said.is_later else 0)
    except VersionConflict as refusal:
        text = diffs.meanwhile(refusal.last, desk.known)
        return form_page(panel, request, session, desk, values=kept, status=409, meanwhile=text)
    except OwnedByGit as refusal:
        errors = diffs.owned(refusal, desk.section)
        return form_page(panel, request, session, desk, values=kept, errors=errors, status=409)
    except Invalid as refusal:
        errors = diffs.refused(refusal, desk.section, desk.known)
        return form_page(panel, request, session, desk, values=kept, errors=errors, status=422)
    return go_to(f"{desk.address}?done={'planned' if said.is_later else 'saved'}")


def _said(form: Form) -> Said:
    """Why and when, and what is wrong with that."""
    reason, days = only(form, "reason").strip(), only(form, "days").strip()
    is_later = only(form, "when") == "later"
    errors = {}
    if len(reason) > _LONGEST_REASON:
        errors["reason"] = f"At most {_LONGEST_REASON} characters."
    if is_later and days not in map(str, range(1, plans.MOST_DAYS + 1)):
        errors["days"] = f"A whole number from 1 to {plans.MOST_DAYS}."
    return Said(reason, is_later, days or _NOTHING_SAID.days, errors)


def saving_of(panel: Panel, request: Request, session: AdminSession, form: Form) -> Saving:
    """Who saves what they had looked at, and why."""
    reason = only(form, "reason").strip()[:_LONGEST_REASON]
    return Saving(platform_actor(request, session), reason, only(form, "etag"), panel.envelope)


def status_of(refusal: InsulaError) -> int:
    """How a page with a refusal on it answers."""
    return 409 if isinstance(refusal, Conflict) else 422


async def who_was_faster(request: Request, refusal: VersionConflict) -> str:
    """Who saved what since a document was looked at."""
    by = [refusal.last.by] if refusal.last else []
    return diffs.meanwhile(refusal.last, await names(tenant_of(request), by))
