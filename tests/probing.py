"""The probe of the wall between tenants, run behind the scenes of the product; and a hole in it."""

from contextlib import contextmanager

from insula.isolation import service
from insula.isolation.probe import Probe
from insula.tenancy.models import PLATFORMS


def probe(product):
    """What a worker does each minute."""

    async def run(here):
        asked = Probe(here.database, here.platform, here.directory, here.envelope, here.front())
        return await service.run(asked, await here.tenant(PLATFORMS))

    return product.backstage.run(run)


@contextmanager
def hole(product, table="seen_once"):
    """A table whose policies hold nobody, for a while."""
    own = "tenant_id = (select insula.current_tenant())"

    def policies(using):
        for policy in ("tenant_isolation", "tenant_wall"):
            product.db.execute(f"alter policy {policy} on insula.{table} using ({using})")

    policies("true")
    try:
        yield
    finally:
        policies(own)
