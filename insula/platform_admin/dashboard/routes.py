"""All tenants at a glance."""

from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts import service as accounts
from insula.admin_sessions.models import AdminSession
from insula.audit import service as audit
from insula.audit.models import Wanted
from insula.figures import service as figures
from insula.jobs import board
from insula.platform_admin.charts import chart_of
from insula.platform_admin.guard import Panel
from insula.platform_admin.navigation import HOME
from insula.platform_admin.sentences import actors, entries
from insula.registry import service as registry
from insula.registry.models import KeyLine
from insula.sign_in.guard import tenant_of
from insula.tenancy.db import Row
from insula.tenants.domains import service as domains

#: Who can run the platform: a superadmin of its tenant is one of them (D02).
RUNNING = ("platform_admin", "superadmin")
_ANOTHER = "insula user add NAME --tenant _platforms --role platform_admin"
_MOST_OVERDUE = 100
_MOST_DOUBTED = 5
_LATEST = 8


def routes(panel: Panel) -> list[Route]:
    return [panel.page(HOME, show_dashboard)]


async def show_dashboard(panel: Panel, request: Request, session: AdminSession) -> Response:
    overview = await registry.overview(panel.platform)
    overdue = await registry.keys_overdue(panel.platform, _MOST_OVERDUE)
    async with tenant_of(request).transaction() as db:
        admins = await accounts.count_active(db, RUNNING)
        lines = (await audit.search(db, Wanted(), limit=_LATEST)).lines
        names = await accounts.names_of(db, actors(lines))
    async with panel.platform.transaction() as db:
        given_up = (await board.counts(db))["failed"]
    await panel.keeper.freshen()
    sign_ins = await figures.attempt("sign_ins", figures.sign_ins_of_all(panel.platform))
    made = await figures.attempt("tenants_made", figures.tenants_made(panel.platform))
    doubted = await domains.in_doubt(panel.platform, _MOST_DOUBTED)
    warnings = [*_of_domains(doubted), *_warnings(panel, admins, overdue), *_of_jobs(given_up)]
    return panel.show(
        request,
        session,
        "dashboard.html",
        current="Dashboard",
        overview=overview,
        warnings=warnings,
        pool=panel.installation.pool(),
        sign_ins=chart_of(sign_ins, "sign-ins", "refused"),
        tenants_made=chart_of(made, "created", latest="this week"),
        latest=entries(lines, names),
        has_second_admin=admins > 1,
        is_bootstrapped=not any("BOOTSTRAP" in warning[0] for warning in warnings),
    )


def _of_domains(doubted: Sequence[Row]) -> Iterator[tuple[str, str, str, str]]:
    """Login domains whose proof fails; one that names an issuer above all."""
    for row in doubted:
        lapsed = row.lapsed_at is not None
        what = "names an issuer" if row.is_primary else "is a login domain"
        yield (
            f"The proof of {row.host} fails.",
            f"It {what}, and {'answers nobody any more' if lapsed else 'answers still'}.",
            row.slug,
            f"/platform/tenants/{row.slug}/hosts",
        )


def _of_jobs(given_up: int) -> Iterator[tuple[str, str, str, str]]:
    """What the worker has stopped trying."""
    if given_up:
        n = "One job was" if given_up == 1 else f"{given_up:,} jobs were"
        yield (
            f"{n} given up.",
            "They say why, and wait to be tried again or forgotten.",
            "Jobs",
            "/platform/jobs?status=failed",
        )


def _warnings(
    panel: Panel, admins: int, overdue: list[KeyLine]
) -> Iterator[tuple[str, str, str, str]]:
    """What is wrong now: a sentence, its detail, and a button where a page helps (F20)."""
    if overdue:
        n = f"{len(overdue)} keys" if len(overdue) > 1 else "One key"
        n = f"More than {_MOST_OVERDUE - 1} keys" if len(overdue) == _MOST_OVERDUE else n
        yield (
            "Key rotation is overdue.",
            f"{n} should have moved on an hour ago. Is a worker running?",
            "Keys",
            "/platform/keys",
        )
    if admins < 2:  # noqa: PLR2004  (one is the risk)
        yield (
            "Only one person can run the platform.",
            f"If they lose access, nobody can. {_ANOTHER} makes another.",
            "",
            "",
        )
    if panel.installation.pool().is_pressed:
        yield (
            "The pool is under pressure.",
            "Raise its size or lower its idle time.",
            "Pool",
            "/platform/pool",
        )
    for warning in panel.installation.warnings():
        head, _, rest = warning.partition(": ")
        yield f"{head}.", f"{rest[:1].upper()}{rest[1:]}.", "Deployment", "/platform/deployment"
