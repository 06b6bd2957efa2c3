"""More tenants at once than a process keeps in memory, their keys rotating meanwhile."""

import secrets
import threading

import httpx2
import jwt
from spine import FAST, GRANTS, Api, metric, until

from insula.keys import service as keys

TENANTS = 8


class Visitor(threading.Thread):
    """Asks one tenant for tokens and checks each against the keys that it publishes then."""

    def __init__(self, house, slug, app, port, stop):
        super().__init__(daemon=True)
        self.api = Api(house, slug, app, port=port)
        self.issuer = house.issuer(slug)
        self.stop = stop
        self.checked = 0
        self.wrong = []

    def run(self):
        while not self.stop.is_set():
            try:
                self.look()
            except (AssertionError, jwt.InvalidTokenError, ValueError, httpx2.HTTPError) as error:
                self.wrong.append(repr(error))

    def look(self):
        answer = self.api.own_token()
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        kid = jwt.get_unverified_header(token)["kid"]
        (key,) = [k for k in self.api.get("/oauth2/jwks").json()["keys"] if k["kid"] == kid]
        jwt.decode(
            token, jwt.PyJWK(key), algorithms=["ES256"], audience=self.issuer, issuer=self.issuer
        )
        said = self.api.introspect(token).json()
        assert said["active"], said
        assert said["iss"] == self.issuer
        self.checked += 1


def rotate(house, slug):
    """A whole rotation, as if its lead had passed."""

    async def act(here):
        tenant = await here.tenant(slug)
        published = await keys.publish(tenant, here.envelope, ["ES256"])
        house.change(
            "update insula.signing_keys set published_at = published_at - interval '601 seconds'"
            " where tenant_id = %s",
            tenant.id,
        )
        await keys.promote(tenant, published[0])

    house.backstage.run(act)


def test_what_is_put_out_of_memory_while_it_is_used_mixes_nothing_up(alive, second):
    stop = threading.Event()
    visitors = []
    for _ in range(TENANTS):
        slug = f"many-{secrets.token_hex(4)}"
        alive.tenant(slug)
        app = alive.app(slug, grant_types=GRANTS, **FAST)
        visitors.append((slug, Visitor(alive, slug, app, second.port, stop)))
    evicted = metric(second, "provider_pool_evictions_total", why="size")

    for _, visitor in visitors:
        visitor.start()
    for slug, _ in visitors[:4]:
        rotate(alive, slug)
    until(30, lambda: min(visitor.checked for _, visitor in visitors) >= 10)
    stop.set()
    for _, visitor in visitors:
        visitor.join(10)

    assert [visitor.wrong for _, visitor in visitors] == [[]] * TENANTS
    assert metric(second, "provider_pool_evictions_total", why="size") > evicted + TENANTS
    assert metric(second, "provider_pool_size") <= 3
