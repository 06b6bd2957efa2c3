"""What other tests have left in a shared database, put to rest before everything due is done."""


def put_to_rest(db):
    """
    Nothing is queued, and nothing of anybody is due for a look, a change or a purge.

    A worker that does all it finds would otherwise do what hundreds of tenants of other tests
    have waiting, in the time of whoever called it.
    """
    db.execute("truncate insula_jobs.procrastinate_jobs cascade")
    db.execute("update insula.signing_keys set planned_at = 'infinity'")
    later = "set due_at = now() + interval '30 days' where due_at <= now()"
    db.execute("update insula.signing_keys " + later)
    db.execute("update insula.deletions " + later)
