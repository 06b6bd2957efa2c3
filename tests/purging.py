"""The end of a deletion's grace, and the work that comes after it."""

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

    return product.backstage.run(work)
