"""One section on its way from a form over a review to a save, whoever's it is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from insula.admin_sessions.models import AdminSession
from insula.audit.models import Actor
from insula.config_overrides.errors import OwnedByGit, VersionConflict
from insula.config_overrides.impacts import Impact
from insula.config_overrides.marks import Version
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import Reach
from insula.config_overrides.resolution import violations
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Conflict, InsulaError, Invalid
from insula.kernel.settings import Section
from insula.platform_admin.configuration import changes as diffs
from insula.platform_admin.configuration.controls import (
    Errors,
    about,
    label,
    mistakes,
    picker,
    title,
    typed,
)
from insula.platform_admin.configuration.lines import Line, as_typed
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.people import Names, names
from insula.sign_in.routes import go_to, only, tenant_of

_LONGEST_REASON = 500
_DONE = {
    "saved": "Saved. It is in force on every process within a second.",
    "released": "Released. It may be changed here until the files are applied again.",
    "restored": "The version is decided again. It is in force within a second.",
    "imported": "The settings are imported. They are in force within a second.",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """
    A section that is being edited, as it was just read.

    *scope* says whose; *address* is its form's, *template* and *frame* are the page around it.
    *whole* is what typed values are judged together with.
    """

    scope: Literal["tenant", "defaults", "bounds"]
    section: type[Section]
    address: str
    template: str
    current: str
    frame: Mapping[str, Any]
    layers: Layers
    lines: list[Line]
    etag: str
    known: Names
    whole: Values
    save: Callable[[Values, Saving], Awaitable[object]]
    last: Callable[[], Awaitable[Version | None]]
    reach: Callable[[Values], Awaitable[Reach]] | None = None
    #: Whom changes would shut out; named for an actor, that they looked is recorded.
    impacts: Callable[[Values, Actor | None], Awaitable[list[Impact]]] | None = None
    #: What the page may load, where that is more than usual.
    policy: str = ""
    #: Values with the secrets among them sealed, so that a page can carry them to the save.
    seal: Callable[[Values], Awaitable[Values]] | None = None


Opened = Callable[[Panel, Request], Awaitable[Desk]]
_Show = Callable[[Panel, Request, AdminSession], Awaitable[Response]]
_Act = Callable[[Panel, Request, AdminSession, Form], Awaitable[Response]]


def pages_of(opened: Opened, name: str) -> tuple[_Show, _Act, _Act, _Show]:
    """The form, its review, the save, and the review of a reset; of the desk that is *opened*."""

    async def show(panel: Panel, request: Request, session: AdminSession) -> Response:
        return form_page(panel, request, session, await opened(panel, request))

    async def review(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
        return await _review(panel, request, session, form, await opened(panel, request))

    async def save(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
        return await _save(panel, request, session, form, await opened(panel, request))

    async def reset(panel: Panel, request: Request, session: AdminSession) -> Response:
        desk = await opened(panel, request)
        wanted = request.query_params.get("field")
        own = [line.control.name for line in desk.lines if line.is_own and not line.owner]
        names = [name for name in own if wanted in (None, name)]
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
    lines = as_typed(desk.lines, values, errors) if values is not None else desk.lines
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
        is_editable=session.runs_platform and not (tenant and tenant.protected),
        address=desk.address,
        etag=desk.etag,
        picker=picker,
        errors=[
            (name or "fields", f"{label(name)}: {text}" if name else text)
            for name, text in errors.items()
        ],
        meanwhile=meanwhile,
        note=note or _DONE.get(request.query_params.get("done", ""), ""),
        **desk.frame,
    )
    if desk.policy:
        response.headers["content-security-policy"] = desk.policy
    return response


async def _review(
    panel: Panel, request: Request, session: AdminSession, form: Form, desk: Desk
) -> Response:
    values, errors = typed(desk.section, form, may_be_empty=desk.scope == "bounds")
    values = {line.control.name: values[line.control.name] for line in desk.lines
              if line.control.name in values and not line.is_fixed}  # fmt: skip
    if only(form, "etag") != desk.etag:
        text = diffs.meanwhile(await desk.last(), desk.known)
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
            found |= mistakes(desk.section, {name: value}, [name])
        return found
    errors = mistakes(desk.section, {**desk.whole, **set_here}, set_here)
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
    reason: str = "",
    error: str = "",
    names: bool = False,
) -> Response:
    """
    What *changed* would be, before it is saved; None takes a field back.

    With *names* it says who is shut out, which is recorded.
    """
    is_reset = all(value is None for value in changed.values()) and desk.scope != "bounds"
    looking = platform_actor(request, session) if names else None
    reach = None
    if desk.reach is not None:
        reach = await desk.reach({name: v for name, v in changed.items() if v is not None})
    return panel.show(
        request,
        session,
        "settings_review.html",
        current=desk.current,
        status=422 if error else 200,
        title_of=title(desk.section),
        scope=desk.scope,
        rows=diffs.rows(desk.section, desk.lines, changed),
        is_reset=is_reset,
        effects=diffs.effects(desk.section) if desk.scope != "bounds" else (),
        reach=reach,
        impacts=await desk.impacts(changed, looking) if desk.impacts else [],
        is_named=names,
        label=label,
        changes=diffs.write(dict(changed)),
        address=desk.address,
        etag=desk.etag,
        reason=reason,
        error=error,
        tenant=desk.frame.get("tenant"),
    )


async def _save(
    panel: Panel, request: Request, session: AdminSession, form: Form, desk: Desk
) -> Response:
    changed = diffs.read(only(form, "changes"))
    values = {name: value for name, value in changed.items() if name in desk.section.model_fields}
    kept = {name: v for name, v in values.items() if v is not None or desk.scope == "bounds"}
    if only(form, "back"):
        return form_page(panel, request, session, desk, values=kept)
    reason = only(form, "reason").strip()
    is_too_long, names = len(reason) > _LONGEST_REASON, bool(only(form, "names"))
    if is_too_long or names:
        return await review_page(
            panel, request, session, desk, values, reason=reason, names=names,
            error=f"At most {_LONGEST_REASON} characters." if is_too_long else "",
        )  # fmt: skip
    try:
        await desk.save(values, saving_of(panel, request, session, form))
    except VersionConflict as refusal:
        text = diffs.meanwhile(refusal.last, desk.known)
        return form_page(panel, request, session, desk, values=kept, status=409, meanwhile=text)
    except OwnedByGit as refusal:
        errors = diffs.owned(refusal, desk.section)
        return form_page(panel, request, session, desk, values=kept, errors=errors, status=409)
    except Invalid as refusal:
        errors = diffs.refused(refusal, desk.section, desk.known)
        return form_page(panel, request, session, desk, values=kept, errors=errors, status=422)
    return go_to(f"{desk.address}?done=saved")


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
