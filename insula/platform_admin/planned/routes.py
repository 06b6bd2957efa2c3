"""The page of a planned change, whoever's it is: its counts as they are now, and two ways on."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import plans
from insula.config_overrides.errors import OwnedByGit, PlanUnknown, VersionConflict
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Invalid
from insula.platform_admin.configuration import changes as diffs
from insula.platform_admin.configuration.controls import label, title
from insula.platform_admin.configuration.desk import Desk
from insula.platform_admin.configuration.routes import Opened, form_page, status_of
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.sign_in.guard import go_to, only

_LONGEST_REASON = 500
_Show = Callable[[Panel, Request, AdminSession], Awaitable[Response]]
_Act = Callable[[Panel, Request, AdminSession, Form], Awaitable[Response]]


def plan_pages_of(opened: Opened, name: str) -> tuple[_Show, _Act]:
    """The page of the plan, and what its form does; of the desk that is *opened*."""

    async def show(panel: Panel, request: Request, session: AdminSession) -> Response:
        return await _page(panel, request, session, await opened(panel, request))

    async def answer(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
        return await _answer(panel, request, session, form, await opened(panel, request))

    for verb, page in (("show", show), ("answer", answer)):
        page.__name__ = f"{verb}_plan_of_{name}"
    return show, answer


async def _page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    desk: Desk,
    *,
    names: bool = False,
    reason: str = "",
    errors: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    plan, planned = desk.layers.plan(desk.scope, desk.section.key), desk.planned
    if plan is None or planned is None:
        return go_to(desk.address)
    looking = platform_actor(request, session) if names else None
    return panel.show(
        request,
        session,
        "settings_plan.html",
        current=desk.current,
        status=status,
        title_of=title(desk.section),
        scope=desk.scope,
        planned=planned,
        effects=diffs.effects(desk.section) if desk.scope != "bounds" else (),
        address=desk.address,
        reason=reason,
        errors=errors,
        tenant=desk.frame.get("tenant"),
        **await desk.foreseen(plan.changes, looking),
    )


async def _answer(
    panel: Panel, request: Request, session: AdminSession, form: Form, desk: Desk
) -> Response:
    """Put into effect what was looked at, take it back, or say whom it shuts out."""
    reason = only(form, "reason").strip()
    if only(form, "names"):
        return await _page(panel, request, session, desk, names=True, reason=reason)
    if len(reason) > _LONGEST_REASON:
        text = f"Reason: at most {_LONGEST_REASON} characters."
        return await _page(panel, request, session, desk, errors=(text,), status=422)
    saving = Saving(platform_actor(request, session), reason, only(form, "plan"), panel.envelope)
    try:
        async with desk.opened() as db:
            if only(form, "withdraw"):
                await plans.withdraw(db, desk.scope, desk.section.key, saving)
            else:
                await plans.apply(db, desk.scope, desk.section, saving)
    except PlanUnknown:
        text = "Nothing is planned any more: it was put into effect, or taken back."
        return form_page(panel, request, session, desk, note=text, status=409)
    except VersionConflict as refusal:
        text = diffs.meanwhile(refusal.last, desk.known)
        return await _page(panel, request, session, desk, errors=(text,), status=409)
    except (OwnedByGit, Invalid) as refusal:
        texts = _refused(desk, refusal)
        return await _page(
            panel, request, session, desk, errors=texts, reason=reason, status=status_of(refusal)
        )
    return go_to(f"{desk.address}?done={'withdrawn' if only(form, 'withdraw') else 'saved'}")


def _refused(desk: Desk, refusal: OwnedByGit | Invalid) -> tuple[str, ...]:
    if isinstance(refusal, OwnedByGit):
        found = diffs.owned(refusal, desk.section)
    else:
        found = diffs.refused(refusal, desk.section, desk.known)
    return tuple(f"{label(name)}: {text}" if name else text for name, text in found.items())
