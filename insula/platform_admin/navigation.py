"""The menu: one line for each section that exists."""

from typing import Final

from insula.ui.views import NavGroup, NavItem

HOME: Final = "/platform"
TENANTS: Final = "/platform/tenants"

GROUPS: Final = (
    NavGroup(
        "",
        (
            NavItem("Dashboard", icon="layout-dashboard", href=HOME),
            NavItem("Tenants", icon="buildings", href=TENANTS),
        ),
    ),
    NavGroup(
        "Configuration",
        (
            NavItem("Defaults", icon="adjustments", href="/platform/defaults"),
            NavItem("Bounds", icon="shield-lock", href="/platform/bounds"),
            NavItem("Templates", icon="copy", href="/platform/templates"),
        ),
    ),
    NavGroup(
        "Operation",
        (
            NavItem("Keys", icon="key", href="/platform/keys"),
            NavItem("Pool", icon="stack-2", href="/platform/pool"),
            NavItem("Jobs", icon="list-check", href="/platform/jobs"),
            NavItem("Deletions", icon="trash", href="/platform/deletions"),
            NavItem("Isolation", icon="shield-check", href="/platform/isolation"),
        ),
    ),
    NavGroup(
        "Logs",
        (
            NavItem("Audit", icon="list-details", href="/platform/audit"),
            NavItem("Deployment", icon="server-cog", href="/platform/deployment"),
        ),
    ),
)
