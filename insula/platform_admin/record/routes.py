"""The platform's own record: what was done to all tenants, and who came in to do it."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts import service as accounts
from insula.admin_sessions.models import AdminSession
from insula.audit import files
from insula.audit import service as audit
from insula.audit.models import Found, Wanted, masked_line, read_place, write_place
from insula.kernel.errors import Invalid
from insula.platform_admin.guard import Panel, file_of, platform_actor
from insula.platform_admin.record.forms import ACTORS, PATH, STATUSES, Filter, read_moment
from insula.platform_admin.sentences import actors, entries
from insula.sign_in.guard import go_to, tenant_of
from insula.tenancy.db import Connection

_LIMIT: Final = 50
_SPANS: Final = (("Today", 1), ("7 days", 7), ("30 days", 30))


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(PATH, show_audit),
        panel.page(f"{PATH}.csv", export_csv),
        panel.page(f"{PATH}.json", export_json),
    ]


async def show_audit(panel: Panel, request: Request, session: AdminSession) -> Response:
    query = request.query_params
    asked = Filter.read(query)
    if "" in query.values():  # a form sends its empty fields too
        return go_to(asked.address())
    place = read_place(query.get("after", ""))
    errors = asked.errors()
    async with tenant_of(request).transaction() as db:
        found = Found((), None)
        if not errors:
            found = await audit.search(db, await _wanted(db, asked), place=place, limit=_LIMIT)
        names = await accounts.names_of(db, actors(found.lines))
    return panel.show(
        request,
        session,
        "audit.html",
        current="Audit",
        status=422 if errors else 200,
        entries=entries(found.lines, names),
        asked=asked,
        chips=asked.chips(),
        spans=_spans(asked),
        errors=errors,
        newest=asked.address() if place else "",
        following=asked.address(after=write_place(found.place)) if found.place else "",
        csv_url=asked.address(f"{PATH}.csv"),
        json_url=asked.address(f"{PATH}.json"),
    )


def _spans(asked: Filter) -> list[tuple[str, str]]:
    """Days that end today, and the addresses that narrow to them."""
    today = datetime.now(UTC).date()
    return [
        (name, asked.address(since=str(today - timedelta(days=days - 1)), until=""))
        for name, days in _SPANS
    ]


async def _wanted(db: Connection, asked: Filter) -> Wanted:
    """What a filter without errors asks of the record."""
    since, until, words = asked.get("since"), asked.get("until"), asked.get("q")
    named = await _id_of(db, words)
    return Wanted(
        words=tuple({word: None for word in (words, named) if word}),
        event=asked.get("event"),
        status=next((each for each in STATUSES if each == asked.get("status")), None),
        actor_type=next((each for each in ACTORS if each == asked.get("actor_type")), None),
        actor_id=await _id_of(db, asked.get("actor_id")),
        target_type=asked.get("target_type"),
        target_id=asked.get("target_id"),
        user=await _id_of(db, asked.get("user_id")),
        ip=asked.get("ip"),
        request_id=asked.get("request_id"),
        since=read_moment(since) if since else None,
        until=read_moment(until, end=True) if until else None,
    )


async def _id_of(db: Connection, text: str | None) -> str | None:
    """The id of somebody of the platform who is named so, or the text itself."""
    if not text:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        user = (await accounts.find(db, text)).user
    return text if user is None else str(user.id)


async def export_csv(_: Panel, request: Request, session: AdminSession) -> Response:
    text = files.csv_of(await _batches(request, session, "csv"))
    return file_of(text, "text/csv; charset=utf-8", "audit.csv")


async def export_json(_: Panel, request: Request, session: AdminSession) -> Response:
    text = files.json_of(await _batches(request, session, "json"))
    return file_of(text, "application/json", "audit.json")


async def _batches(request: Request, session: AdminSession, form: str) -> files.Batches:
    """The lines of the filter as the page shows them: with masks for e-mail addresses."""
    asked = Filter.read(request.query_params)
    for name, said in asked.errors():
        raise Invalid(said, field=name)
    tenant = tenant_of(request)
    async with tenant.transaction() as db:
        wanted = await _wanted(db, asked)
    batches = await audit.export(tenant, wanted, platform_actor(request, session), form)
    return ([masked_line(line) for line in lines] async for lines in batches)
