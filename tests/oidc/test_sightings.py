"""What an issuer says of what its clients are seen to know of its keys, and of nothing else."""

import jwt
import pytest
from oidc_world import FORM, basic, build, call

pytestmark = pytest.mark.spec("features BEY-2", "protocol 5.5")


class Seen:
    def __init__(self):
        self.all = []

    def met(self, client, place):
        self.all.append(("met", client.client_id, place))

    def fetched(self, place):
        self.all.append(("fetched", place))

    def presented(self, client, kid):
        self.all.append(("presented", client.client_id, kid))

    def take(self, kind):
        taken, self.all = self.all, []
        return [each[1:] for each in taken if each[0] == kind]


@pytest.fixture
def seen(world, ring):
    seen = Seen()
    world.provider = build(world.host, ring, sightings=seen)
    return seen


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


async def test_a_token_that_a_client_brings_and_that_is_good_names_its_key(world, web, seen):
    browser = world.signed_in()
    tokens = await world.tokens(web, browser)
    access, hint = tokens["access_token"], tokens["id_token"]
    of_access, of_hint = (web.client_id, kid_of(access)), (web.client_id, kid_of(hint))
    asking = world.client("asking", introspects_others=True)
    seen.take("presented")

    await world.userinfo(access)
    assert seen.take("presented") == [of_access]
    await world.post("/oauth2/introspect", asking, {"token": access})
    assert seen.take("presented") == [("asking", kid_of(access))]
    await browser.authorize(web, prompt="none", id_token_hint=hint)
    assert seen.take("presented") == [of_hint]
    await browser.go("/oauth2/logout", {"id_token_hint": hint})
    assert seen.take("presented") == [of_hint]


async def test_what_is_not_good_or_says_no_key_is_not_seen(world, web, seen):
    browser = world.signed_in()
    tokens = await world.tokens(web, browser)
    other = world.client("other")
    opaque = world.client("opaque", access_token_format="opaque")  # noqa: S106  (no secret)
    spoilt = tokens["access_token"][:-4] + "AAAA"

    await world.userinfo(spoilt)
    await world.post("/oauth2/introspect", web, {"token": spoilt})
    await world.post("/oauth2/introspect", other, {"token": tokens["access_token"]})
    await browser.authorize(other, prompt="none", id_token_hint=tokens["id_token"])
    assert seen.take("presented") == []
    own = (await world.tokens(opaque, browser))["access_token"]
    assert (await world.userinfo(own)).status == 200
    assert seen.take("presented") == []


async def test_who_proves_itself_is_met_at_its_address_and_a_page_at_its_own_origin(
    world, web, seen
):
    page = world.public(allowed_origins=frozenset({"https://spa.example"}))

    async def ask(client, **headers):
        sent = [*headers.items(), *([] if client.is_public else [basic(client.client_id)])]
        named = {"client_id": client.client_id} if client.is_public else {}
        await world.post("/oauth2/introspect", client, {"token": "x"} | named, headers=sent)
        return seen.take("met")

    assert await ask(web) == [("web", "192.0.2.7")]
    assert await ask(web, origin="https://spa.example") == [("web", "192.0.2.7")]
    assert await ask(page) == []
    assert await ask(page, origin="https://evil.example") == []
    assert await ask(page, origin="https://spa.example") == [("spa", "https://spa.example")]
    wrong = [FORM, basic("web", "wrong")]
    await call(world.provider, "POST", "/oauth2/token", headers=wrong, body=b"grant_type=x")
    assert seen.take("met") == []


async def test_a_fetch_of_the_keys_is_seen_by_origin_or_address(world, seen):
    async def get(method="GET", path="/oauth2/jwks", **headers):
        answer = await call(world.provider, method, path, headers=[*headers.items()])
        return answer, seen.take("fetched")

    answer, fetched = await get()
    assert fetched == [("192.0.2.7",)]
    unchanged, fetched = await get(**{"if-none-match": answer.headers["etag"]})
    assert (unchanged.status, fetched) == (304, [("192.0.2.7",)])  # it has what is there now
    assert (await get(origin="https://spa.example"))[1] == [("https://spa.example",)]
    assert (await get("HEAD"))[1] == []
    assert (await get(path="/.well-known/openid-configuration"))[1] == []
