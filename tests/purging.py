"""The end of a deletion's grace, and the work that comes after it."""

import time

from insula.deletion import purge
from insula.tenancy.models import PLATFORMS


def purge_now(product, slug):
    """Let the grace of a tenant's deletion be over, and purge it as the worker does."""
    product.change(
        "update insula.deletions set due_at = now() where slug = %s and undone_at is null", slug
    )
    subject = product.tenant_id(slug)

    async def work(here):
        home = await here.tenant(PLATFORMS)
        return await purge.run(here.platform, home, here.envelope, subject)

    return product.backstage.run(work) or is_done_by_a_worker(product, slug)


def is_done_by_a_worker(product, slug):
    """Whether one that another test has started is at it, or was; a pause keeps it from that."""
    while True:
        (row,) = product.rows(
            "select paused_at, finished_at from insula.deletions"
            " where slug = %s and undone_at is null",
            slug,
        )
        if row.finished_at or row.paused_at:
            return row.finished_at is not None
        time.sleep(0.1)
