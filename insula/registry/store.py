"""All SQL on the registry as a whole; over the platform's door, which sees all its lines."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DataError

from insula.registry.errors import CursorInvalid
from insula.registry.models import Cursor, Filter, Impact, KeyLine, Sort, TenantLine
from insula.tenancy.db import Connection, Row

#: The highest character there is: what begins with a prefix lies below prefix + this.
LAST: Final = "\U0010ffff"
#: How many names and domains of one prefix a search looks at; slugs have no such limit.
MOST_FOUND: Final = 500
#: A bounded count says "more than" from here on.
BOUND: Final = 1000

_LINE = """
    t.id, t.slug, t.display_name, t.status, t.protected, t.created_at, t.updated_at, c.users,
    nullif(c.last_sign_in_at, '-infinity') as last_sign_in_at"""
_FROM = "insula.tenants t join insula.tenant_counters c on c.id = t.id"


class _Order(NamedTuple):
    """
    What a list is sorted by: the expression, its type, and whether the greatest comes first.

    *id* stands in the same index, so that a place in the list is a place in the index.
    """

    key: str
    id: str
    kind: str
    descending: bool


#: By attention is no order of one index: `need.page` puts it together of parts by slug.
_ORDERS: Final[dict[Sort, _Order]] = {
    "slug": _Order('t.slug collate "C"', "t.id", "text", descending=False),
    "newest": _Order("t.created_at", "t.id", "timestamptz", descending=True),
    "users": _Order("c.users", "c.id", "bigint", descending=True),
    "activity": _Order("c.last_sign_in_at", "c.id", "timestamptz", descending=True),
}


def _line(row: Row) -> TenantLine:
    return TenantLine(**row._asdict())


async def page(
    db: Connection, wanted: Filter, cursor: Cursor | None, limit: int, need: Sequence[UUID] = ()
) -> list[TenantLine]:
    """
    Lines from a place on, in the order of the list; before it, in the reverse order.

    Those *in need* alone when the filter says so, else those that are not.
    """
    order = _ORDERS[wanted.sort]
    backwards = cursor is not None and cursor.backwards
    falling = order.descending != backwards
    direction, beyond = ("desc", "<") if falling else ("asc", ">")
    place = (
        f"and ({order.key}, {order.id}) {beyond} (cast(:mark as {order.kind}), :id)"
        if cursor
        else ""
    )
    found, extra, narrow = "", "", _narrow(wanted, need)
    if wanted.search and wanted.in_need:
        found = _FOUND_IN_NEED
    elif wanted.search and wanted.sort == "slug":
        here = f'and t.slug collate "C" {beyond} :mark' if cursor else ""
        found = _FOUND.format(place=f"{narrow} {here}", direction=direction, limit=":limit")
    elif wanted.search:  # sorted by what the search knows nothing of
        found = _FOUND.format(place=narrow, direction="asc", limit=":most")
    if wanted.search:
        extra = "and t.id = any(array(select f.id from found f))"
    statement = f"""
        {found}
        select {_LINE}, ({order.key})::text as mark
          from {_FROM}
         where not t.protected and t.status = any(:statuses) {narrow} {extra} {place}
         order by {order.key} {direction}, {order.id} {direction} limit :limit
    """  # noqa: S608  (words of ours)
    values = {"statuses": list(wanted.statuses), "limit": limit, "most": MOST_FOUND}
    if narrow:
        values["need"] = list(need)
    if cursor:
        values |= {"mark": cursor.mark, "id": cursor.id}
    if wanted.search:
        values |= {"low": wanted.search, "high": wanted.search + LAST}
    try:
        rows = await db.execute(text(statement), values)
    except DataError as error:  # a mark of another order than this list's
        raise CursorInvalid from error
    return [_line(row) for row in rows]


def _narrow(wanted: Filter, need: Sequence[UUID]) -> str:
    if wanted.in_need:
        return "and t.id = any(:need)"
    return "and t.id <> all(:need)" if need else ""


#: By the beginning of the slug, in the order of the list; of the name and of a domain, some.
#: What was found is looked up as an array of ids: a join would be planned for any number of them,
#: and read the whole registry.
_FOUND = """
    with found as materialized (
      (select t.id from insula.tenants t
        where t.slug collate "C" >= :low and t.slug collate "C" < :high {place}
          and not t.protected and t.status = any(:statuses)
        order by t.slug collate "C" {direction} limit {limit})
      union
      (select t.id from insula.tenants t
        where t.name_norm collate "C" >= :low and t.name_norm collate "C" < :high
        order by t.name_norm collate "C" limit :most)
      union
      select h.tenant_id from insula.tenants_by_host(:low, :high, :most) h
    )"""


#: Of those in need, which are few and known, all: no limit cuts off what is found of others.
_FOUND_IN_NEED = """
    with found as materialized (
      select t.id from insula.tenants t
       where t.id = any(:need)
         and (t.slug collate "C" >= :low and t.slug collate "C" < :high
              or t.name_norm collate "C" >= :low and t.name_norm collate "C" < :high
              or t.id = any(array(
                   select h.tenant_id from insula.tenants_by_host_among(:need, :low, :high) h)))
    )"""


async def count_found(db: Connection, wanted: Filter, most: int) -> int:
    """How many a search finds, and no more than *most*."""
    found = _FOUND.format(place="", direction="asc", limit=":limit")
    n: int = (
        await db.execute(
            text(f"""
                {found}
                select count(*) from (
                  select from insula.tenants t
                   where not t.protected and t.status = any(:statuses)
                     and t.id = any(array(select f.id from found f)) limit :limit) x
            """),  # noqa: S608  (words of ours)
            {
                "low": wanted.search,
                "high": wanted.search + LAST,
                "statuses": list(wanted.statuses),
                "limit": most,
                "most": most,
            },
        )
    ).scalar_one()
    return n


async def get(db: Connection, slug: str) -> TenantLine | None:
    row = (
        await db.execute(
            text(f"select {_LINE}, t.slug as mark from {_FROM} where t.slug = :slug"),  # noqa: S608  (words of ours)
            {"slug": slug},
        )
    ).one_or_none()
    return _line(row) if row else None


async def by_ids(db: Connection, ids: Sequence[UUID]) -> list[TenantLine]:
    rows = await db.execute(
        text(f"select {_LINE}, t.slug as mark from {_FROM} where t.id = any(:ids) order by t.slug"),  # noqa: S608  (words of ours)
        {"ids": list(ids)},
    )
    return [_line(row) for row in rows]


async def hosts(db: Connection, ids: Sequence[UUID]) -> Sequence[Row]:
    return (
        await db.execute(
            text("select tenant_id, host, is_primary from insula.hosts_of_tenants(:ids)"),
            {"ids": list(ids)},
        )
    ).all()


async def host_owners(db: Connection, host: str) -> list[UUID]:
    """Whose domain this is: one tenant or none."""
    rows = await db.execute(
        text("select tenant_id from insula.holder_of_host(:host)"), {"host": host}
    )
    return [row.tenant_id for row in rows]


async def in_need(db: Connection, most: int) -> dict[UUID, str]:
    """Tenants in which something is wrong, *most* of each kind, and their statuses."""
    rows = await db.execute(
        text("select tenant_id, status from insula.tenants_in_need(:most)"), {"most": most}
    )
    return {row.tenant_id: row.status for row in rows}


async def ailments(db: Connection, ids: Sequence[UUID]) -> Sequence[Row]:
    return (
        await db.execute(
            text("""
                select tenant_id, host, is_primary, has_lapsed
                  from insula.ailments_of_tenants(:ids)
            """),
            {"ids": list(ids)},
        )
    ).all()


async def keys(db: Connection, ids: Sequence[UUID]) -> list[KeyLine]:
    rows = await db.execute(
        text("""
            select tenant_id, kid, alg, state, published_at, due_at, waiting_since, waits_for
              from insula.keys_of_tenants(:ids)
        """),
        {"ids": list(ids)},
    )
    return [KeyLine(**row._asdict()) for row in rows]


async def keys_overdue(db: Connection, most: int) -> list[KeyLine]:
    rows = await db.execute(
        text("select tenant_id, slug, kid, alg, state, due_at from insula.keys_overdue(:most)"),
        {"most": most},
    )
    return [KeyLine(**row._asdict()) for row in rows]


async def keys_waiting(db: Connection, most: int) -> list[KeyLine]:
    rows = await db.execute(
        text("""
            select tenant_id, slug, kid, alg, state, published_at, due_at, waiting_since, waits_for
              from insula.keys_waiting(:most)
        """),
        {"most": most},
    )
    return [KeyLine(**row._asdict()) for row in rows]


async def keys_coming(db: Connection, most: int) -> list[KeyLine]:
    rows = await db.execute(
        text("select tenant_id, slug, kid, alg, state, due_at from insula.keys_coming(:most)"),
        {"most": most},
    )
    return [KeyLine(**row._asdict()) for row in rows]


async def keys_revoked(db: Connection, most: int) -> list[KeyLine]:
    rows = await db.execute(
        text("""
            select tenant_id, slug, kid, alg, state, revoked_at from insula.keys_revoked(:most)
        """),
        {"most": most},
    )
    return [KeyLine(**row._asdict()) for row in rows]


async def totals(db: Connection) -> dict[str, int]:
    rows = await db.execute(text("select status, n from insula.tenant_totals order by status"))
    return {row.status: row.n for row in rows}


async def lately(db: Connection) -> Row:
    """How many were made this week and how many had a sign-in today, each counted to a bound."""
    return (
        await db.execute(
            text("""
                select (select count(*) from (
                          select from insula.tenants where created_at > now() - interval '7 days'
                             and not protected limit :bound) x) as made,
                       (select count(*) from (
                          select from insula.tenant_counters c join insula.tenants t on t.id = c.id
                           where c.last_sign_in_at > now() - interval '24 hours'
                             and not t.protected limit :bound) x) as active
            """),
            {"bound": BOUND},
        )
    ).one()


async def impact(db: Connection) -> Impact:
    """What stands behind the bound tenant, each counted to a bound."""
    row = (
        await db.execute(
            text("""
                select (select users from insula.tenant_counters
                         where id = insula.current_tenant()) as users,
                       (select count(*) from (
                          select from insula.sessions where ended_at is null
                             and idle_expires_at > now() and absolute_expires_at > now()
                           limit :bound) x) as sessions,
                       (select count(*) from (
                          select from insula.clients where status = 'active' limit :bound) x) as clients,
                       (select count(*) from insula.tenant_hosts) as hosts
            """),
            {"bound": BOUND},
        )
    ).one()
    return Impact(**row._asdict(), bound=BOUND)


async def schema(db: Connection) -> Row:
    """The revision of the schema and the server's version, for the page that shows them."""
    return (
        await db.execute(
            text("""
                select (select version_num from insula.schema_version) as revision,
                       current_setting('server_version') as server
            """)
        )
    ).one()
