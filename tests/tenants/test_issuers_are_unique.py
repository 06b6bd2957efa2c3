"""Two tenants never have one issuer: the base domain's hosts follow slugs alone."""

import pytest

from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish
from insula.tenants.errors import InvalidTenant


@pytest.mark.spec("OIDCD-3")
@pytest.mark.parametrize(
    "domain", ["globex.id.example", "ops.id.example", "id.example", "a.b.id.example"]
)
async def test_a_domain_under_the_base_is_nobodys_own(platform_door, house, domain):
    with pytest.raises(InvalidTenant, match="base domain"):
        await domains.add(platform_door, house.tenant.slug, Wish(domain), base="id.example")


async def test_one_beside_it_may_be(platform_door, house):
    host = f"login-{house.tenant.slug}.notid.example"
    added = await domains.add(platform_door, house.tenant.slug, Wish(host), base="id.example")
    assert added.host == host
