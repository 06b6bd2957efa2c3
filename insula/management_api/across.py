"""What is done across tenants: who acts, and a transaction of the tenant that the path names."""

from dataclasses import replace

from insula.audit.models import Actor
from insula.management_api.caller import Caller
from insula.management_api.sections.acts import Open
from insula.tenants import registry


def platform_actor(caller: Caller) -> Actor:
    """Who acts, as a tenant's own record names them: the platform."""
    return replace(caller.actor, type="platform")


async def within(caller: Caller, slug: str) -> Open:
    """Opens transactions of the tenant *slug*. Raises `NotFound`."""
    entry = await registry.get(caller.parts.platform, slug)
    return lambda: caller.parts.platform.within(entry.id)


def at_home(caller: Caller) -> Open:
    """Opens transactions over the platform's door, bound to its own tenant."""
    return lambda: caller.parts.platform.within(caller.tenant.id)
