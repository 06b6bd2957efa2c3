"""Every page of the platform, in one list."""

from starlette.routing import Route

from insula.platform_admin.dashboard import routes as dashboard
from insula.platform_admin.guard import Panel
from insula.platform_admin.isolation import routes as isolation
from insula.platform_admin.one_tenant import routes as one_tenant
from insula.platform_admin.operation import routes as operation
from insula.platform_admin.record import routes as record
from insula.platform_admin.status import routes as status
from insula.platform_admin.tenants import routes as tenants


def routes(panel: Panel) -> list[Route]:
    """The addresses under /platform; the first that fits answers."""
    return [
        *dashboard.routes(panel),
        *tenants.routes(panel),
        *one_tenant.routes(panel),
        *status.routes(panel),
        *operation.routes(panel),
        *isolation.routes(panel),
        *record.routes(panel),
    ]
