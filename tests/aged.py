"""Lines of the record as time would have left them."""

from contextlib import contextmanager

_MISSING = """
    select name, first, (first + interval '1 month')::date as beyond
      from generate_series(0, %s) back,
           date(date_trunc('month', now()) - make_interval(months => back)) first,
           format('insula.audit_events_%%s', to_char(first, 'YYYY_MM')) name
     where to_regclass(name) is null
"""


@contextmanager
def partitions_before(db, months):
    """The record has partitions for so many months before this one, for as long as that lasts."""
    db.execute("select insula.ensure_partitions(0)")
    made = db.execute(_MISSING, [months]).fetchall()
    for name, first, beyond in made:
        db.execute(
            f"create table {name} partition of insula.audit_events"
            f" for values from ('{first} 00:00+00') to ('{beyond} 00:00+00')"
        )
        db.execute(f"alter table {name} owner to insula_definer")
    yield
    for name, _, _ in made:
        db.execute(f"drop table {name}")


def add_lines(db, tenant_id, days, n=1):
    """Lines of a tenant that are so many *days* old; their partition is there."""
    db.execute(
        "insert into insula.audit_events (tenant_id, at, event, status, actor_type)"
        " select %s, now() - make_interval(days => %s), 'tests.aged', 'info', 'system'"
        "   from generate_series(1, %s)",
        [tenant_id, days, n],
    )
