"""Every page of the platform, in one list."""

from starlette.routing import Route

from insula.platform_admin.dashboard import routes as dashboard
from insula.platform_admin.defaults_history import routes as defaults_history
from insula.platform_admin.deletions import routes as deletions
from insula.platform_admin.favourites import routes as favourites
from insula.platform_admin.guard import Panel
from insula.platform_admin.isolation import routes as isolation
from insula.platform_admin.jobs import routes as jobs
from insula.platform_admin.login_domains import routes as login_domains
from insula.platform_admin.one_tenant import routes as one_tenant
from insula.platform_admin.operation import routes as operation
from insula.platform_admin.platform_settings import routes as platform_settings
from insula.platform_admin.record import routes as record
from insula.platform_admin.settings_file import routes as settings_file
from insula.platform_admin.settings_history import routes as settings_history
from insula.platform_admin.settings_release import routes as settings_release
from insula.platform_admin.status import routes as status
from insula.platform_admin.tenant_branding import routes as tenant_branding
from insula.platform_admin.tenant_people import routes as tenant_people
from insula.platform_admin.tenant_settings import routes as tenant_settings
from insula.platform_admin.tenant_templates import routes as tenant_templates
from insula.platform_admin.tenants import routes as tenants


def routes(panel: Panel) -> list[Route]:
    """The addresses under /platform; the first that fits answers."""
    return [
        *dashboard.routes(panel),
        *tenants.routes(panel),
        *one_tenant.routes(panel),
        *favourites.routes(panel),
        *tenant_people.routes(panel),
        *login_domains.routes(panel),
        *status.routes(panel),
        *deletions.routes(panel),
        *settings_history.routes(panel),
        *settings_file.routes(panel),
        *settings_release.routes(panel),
        *tenant_branding.routes(panel),
        *tenant_settings.routes(panel),
        *defaults_history.routes(panel),
        *platform_settings.routes(panel),
        *tenant_templates.routes(panel),
        *operation.routes(panel),
        *jobs.routes(panel),
        *isolation.routes(panel),
        *record.routes(panel),
    ]
