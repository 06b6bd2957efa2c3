"""A command that runs on hears of changes, as the processes that serve do."""

import asyncio
import secrets

import pytest

from insula.config_overrides import platform as platform_settings
from insula.config_overrides import service as config_overrides
from insula.config_overrides.saving import Saving
from insula.platform.context import following, opened
from insula.providers.settings import TokenLifetimes
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants

pytestmark = pytest.mark.usefixtures("variables")


async def eventually(holds):
    async with asyncio.timeout(10):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_the_worker_hears_of_a_tenant_and_of_what_the_platform_decides():
    slug = f"t-{secrets.token_hex(5)}"
    async with opened() as here, opened() as other:
        await tenants.ensure_special(other.platform, other.envelope, other.rotation)
        await tenants.create(
            other.platform, other.envelope, other.rotation, slug=slug, display_name="Acme"
        )
        home = await other.tenant(PLATFORMS)

        async def decide(seconds):
            async with other.platform.within(home.id) as db:
                await platform_settings.change_values(
                    db, TokenLifetimes, {"device_code": seconds}, Saving()
                )

        async def is_suspended():
            return (await here.tenant(slug)).status == "suspended"

        async def is_inherited():
            tenant = await here.tenant(slug)
            return config_overrides.of(tenant, TokenLifetimes).device_code == 120

        async with following(here):
            assert not await is_suspended()
            assert not await is_inherited()
            await tenants.set_status(other.platform, slug, "suspended")
            await eventually(is_suspended)
            try:
                await decide(120)
                await eventually(is_inherited)
            finally:
                await decide(None)
