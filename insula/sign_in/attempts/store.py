"""All SQL on attempt_counters."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from insula.tenancy.db import Connection, Tenant, statement

#: One trip counts an attempt before the secret is looked at; the window starts anew when over.
#: That of an address is fixed: many people share one, and some of them fail every day.
_COUNT = statement("""
    insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
    select x.kind, x.subject, 1, now() + x.span, now() + x.span + interval '1 hour'
      from unnest(%(kinds)s::text[], %(subjects)s::bytea[], %(spans)s::interval[])
           as x(kind, subject, span)
     order by x.kind, x.subject
    on conflict (tenant_id, kind, subject) do update
       set n = case when a.window_ends_at <= now() then 1 else a.n + 1 end,
           window_ends_at = case when a.kind = 'ip' and a.window_ends_at > now()
                                 then a.window_ends_at else excluded.window_ends_at end,
           sweep_after = excluded.sweep_after
    returning kind, n, extract(epoch from window_ends_at - now())::float8 as left_s
""")

_READ_COUNTS = statement("""
    select kind, n, extract(epoch from window_ends_at - now())::float8 as left_s
      from insula.attempt_counters
     where tenant_id = %(tenant_id)s and window_ends_at > now()
       and (kind, subject) in (select * from unnest(%(kinds)s::text[], %(subjects)s::bytea[]))
""")


async def count(
    tenant: Tenant, counters: Sequence[tuple[str, bytes, timedelta]]
) -> dict[str, tuple[int, float]]:
    """Count one attempt on each; the new numbers and seconds until they are forgotten, by kind."""
    rows = await tenant.once(
        _COUNT,
        {
            "kinds": [kind for kind, _, _ in counters],
            "subjects": [subject for _, subject, _ in counters],
            "spans": [span for _, _, span in counters],
        },
    )
    return {row.kind: (row.n, row.left_s) for row in rows}


async def read_counts(
    tenant: Tenant, counters: Sequence[tuple[str, bytes]]
) -> dict[str, tuple[int, float]]:
    """Attempts so far and seconds until they are forgotten, by kind."""
    rows = await tenant.once(
        _READ_COUNTS,
        {"kinds": [kind for kind, _ in counters], "subjects": [subject for _, subject in counters]},
    )
    return {row.kind: (row.n, row.left_s) for row in rows}


async def forget_attempts(db: Connection, counters: Sequence[tuple[str, bytes]]) -> None:
    for kind, subject in counters:
        await db.execute(
            text("delete from insula.attempt_counters where kind = :kind and subject = :subject"),
            {"kind": kind, "subject": subject},
        )


async def uncount(db: Connection, counter: tuple[str, bytes]) -> None:
    """Take one attempt back."""
    kind, subject = counter
    await db.execute(
        text(
            "update insula.attempt_counters set n = n - 1"
            " where kind = :kind and subject = :subject and n > 0"
        ),
        {"kind": kind, "subject": subject},
    )


async def first_refusal(db: Connection, counter: tuple[str, bytes], span: timedelta) -> bool:
    """Whether nothing was refused for this counter within *span*; from now on something was."""
    kind, subject = counter
    result = await db.execute(
        text("""
            insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
            values (:kind, :subject, 1, now() + :span, now() + :span)
            on conflict (tenant_id, kind, subject) do update
               set window_ends_at = excluded.window_ends_at, sweep_after = excluded.sweep_after
             where a.window_ends_at <= now()
        """),
        {"kind": f"refused_{kind}", "subject": subject, "span": span},
    )
    return result.rowcount > 0
