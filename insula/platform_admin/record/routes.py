"""The platform's own record: what was done to all tenants, and who came in to do it."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts import service as accounts
from insula.admin_sessions.models import AdminSession
from insula.audit import service as audit
from insula.audit.models import Lines, Status
from insula.platform_admin.guard import Panel
from insula.platform_admin.sentences import actors, entries
from insula.sign_in.guard import tenant_of

_PATH: Final = "/platform/audit"
_LIMIT: Final = 50
_STATUSES: Final[tuple[Status, ...]] = ("success", "failed", "warning", "info")
_DAYS: Final = (1, 7, 30, 180)
_DEFAULT_DAYS: Final = 30


def routes(panel: Panel) -> list[Route]:
    return [panel.page(_PATH, show_audit)]


def _address(words: str, status: str, days: int, after: str = "") -> str:
    pairs = {"q": words, "result": status, "days": "" if days == _DEFAULT_DAYS else str(days)}
    kept = {name: value for name, value in (pairs | {"after": after}).items() if value}
    return f"{_PATH}?{urlencode(kept)}" if kept else _PATH


async def show_audit(panel: Panel, request: Request, session: AdminSession) -> Response:
    query = request.query_params
    words = query.get("q", "").strip().replace("\0", "")[:100]
    status = next((known for known in _STATUSES if known == query.get("result")), None)
    days = next((n for n in _DAYS if str(n) == query.get("days")), _DEFAULT_DAYS)
    mark, _, last = query.get("after", "").partition("|")
    wanted = Lines(
        timedelta(days=days),
        words,
        (status,) if status else (),
        (mark, last) if mark else None,
    )
    async with tenant_of(request).transaction() as db:
        rows = await audit.browse(db, wanted, _LIMIT + 1)
        names = await accounts.names_of(db, actors(rows))
    shown = entries(rows[:_LIMIT], names)
    chosen = status or ""
    following = ""
    if len(rows) > _LIMIT:
        following = _address(words, chosen, days, f"{shown[-1].mark}|{shown[-1].id}")
    return panel.show(
        request,
        session,
        "audit.html",
        current="Audit",
        entries=shown,
        words=words,
        result=chosen,
        days=days,
        results=[
            (s, s == chosen, _address(words, "" if s == chosen else s, days)) for s in _STATUSES
        ],
        periods=[(n, n == days, _address(words, chosen, n)) for n in _DAYS],
        newest=_address(words, chosen, days) if mark else "",
        following=following,
        is_filtered=bool(words or chosen or days != _DEFAULT_DAYS),
    )
