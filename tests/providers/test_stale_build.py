"""A provider that was built from an old tenant counts as old, however new its keys are."""

from insula.devices.codes import UserCodes
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.providers.build import Builder
from insula.providers.client_keys import ClientKeys
from insula.providers.pool import ProviderPool
from insula.sign_in.cookies import Jar
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish


async def test_news_of_the_change_drops_it(platform_door, house, envelope):
    door = Door(OutboundRules())
    builder = Builder(envelope, Jar(secure=False), door, ClientKeys(door), UserCodes(bytes(32)))
    pool = ProviderPool(builder.build)
    stale = house.tenant
    wish = Wish(f"login-{stale.slug}.other.example", primary=True, vouched="a test")
    await domains.add(platform_door, stale.slug, wish)
    await pool.get(stale)

    assert pool.changed(stale.id, stale.version + 1)
    assert pool.known(stale) is None
