"""Keys that come and go while tokens live: what verifiers see, at every process."""

import hashlib
import secrets

import httpx2
import jwt
import pytest
from spine import GRANTS, Api, fields_of, signed_in, tokens_of, until

from insula.keys import service as keys

JWKS = "/oauth2/jwks"
ALGORITHMS = ["RS256", "ES256"]


class House:
    """A tenant of its own, with an application and somebody signed in."""

    def __init__(self, product):
        self.product, self.slug = product, f"keys-{secrets.token_hex(4)}"
        product.tenant(self.slug)
        self.app = product.app(self.slug, grant_types=GRANTS)
        self.api = Api(product, self.slug, self.app)
        self.browser = signed_in(product, self.slug, self.app)

    def do(self, act):
        async def work(here):
            return await act(await here.tenant(self.slug), here)

        return self.product.backstage.run(work)

    def publish(self):
        return self.do(lambda tenant, here: keys.publish(tenant, here.envelope))

    def promote(self, kids):
        self.age("published_at", "601 seconds")

        async def act(tenant, _):
            for kid in kids:
                await keys.promote(tenant, kid)

        self.do(act)

    def retire(self):
        self.age("retiring_at", "3 days")
        return self.do(lambda tenant, _: keys.retire_expired(tenant))

    def age(self, column, interval):
        self.product.change(
            f"update insula.signing_keys set {column} = {column} - %s::interval"  # noqa: S608
            " where tenant_id = %s",
            interval,
            self.product.tenant_id(self.slug),
        )

    def tokens(self):
        return tokens_of(self.product, self.slug, self.app, self.browser)

    def kids(self):
        return [key["kid"] for key in self.api.get(JWKS).json()["keys"]]

    def follow(self, holds):
        until(1.0, lambda: holds(self.kids()))

    def verify(self, token, audience):
        """As anybody would: with the keys that are published now."""
        kid = jwt.get_unverified_header(token)["kid"]
        (key,) = [k for k in self.api.get(JWKS).json()["keys"] if k["kid"] == kid]
        return jwt.decode(
            token, jwt.PyJWK(key), algorithms=ALGORITHMS, audience=audience,
            issuer=self.product.issuer(self.slug),
        )  # fmt: skip

    def check(self, tokens):
        self.verify(tokens["id_token"], self.app.client_id)
        self.verify(tokens["access_token"], self.product.issuer(self.slug))
        assert self.api.userinfo(tokens["access_token"]).status_code == 200
        assert self.api.is_active(tokens["access_token"])


@pytest.fixture(scope="module")
def house(product):
    return House(product)


def signers(tokens):
    return {jwt.get_unverified_header(tokens[t])["kid"] for t in ("id_token", "access_token")}


def states(house):
    rows = house.product.rows(
        "select kid, state from insula.signing_keys where tenant_id = %s",
        house.product.tenant_id(house.slug),
    )
    return {row.kid: row.state for row in rows}


@pytest.mark.spec("OIDCC-10.1.1")
def test_every_token_verifies_through_a_whole_rotation(house):
    first = house.tokens()
    born = signers(first)
    house.check(first)

    new = set(house.publish())
    house.follow(lambda kids: new <= set(kids))
    assert signers(house.tokens()) == born  # published, and not signing yet
    house.check(first)

    house.promote(new)
    until(1.0, lambda: signers(house.tokens()) == new)
    second = house.tokens()
    for tokens in (first, second):
        house.check(tokens)
    order = [states(house)[kid] for kid in house.kids()]
    assert order == sorted(order, key=["active", "next", "retiring"].index)

    third_new = set(house.publish())  # a second rotation while the first is not over
    house.follow(lambda kids: third_new <= set(kids))
    for tokens in (first, second):
        house.check(tokens)
    order = [states(house)[kid] for kid in house.kids()]
    assert order == ["active"] * 2 + ["next"] * 2 + ["retiring"] * 2

    gone = set(house.retire())
    assert gone == born
    house.follow(lambda kids: not gone & set(kids))
    house.check(second)
    assert house.api.userinfo(first["access_token"]).status_code == 401


@pytest.mark.spec("OIDCC-3.1.2.1", "OIDCRIL-2")
def test_an_id_token_of_a_retired_key_still_says_who_it_was(product):
    house = House(product)
    hint = house.tokens()["id_token"]
    new = house.publish()
    house.promote(new)
    house.retire()
    house.follow(lambda kids: set(kids) == set(new))

    silent = house.browser.get(
        product.authorize_url(house.slug, house.app, prompt="none", id_token_hint=hint)
    )
    assert "code" in fields_of(silent.headers["location"])

    left = house.browser.get(
        product.url(house.slug, "/oauth2/logout"), params={"id_token_hint": hint}
    )
    assert left.status_code == 200
    assert "insula_session=;" in left.headers["set-cookie"]


def test_an_id_token_of_a_revoked_key_says_nothing(product):
    house = House(product)
    hint = house.tokens()["id_token"]
    new = house.publish()
    house.promote(new)
    product.change(
        "update insula.signing_keys set state = 'revoked'"
        " where tenant_id = %s and not kid = any(%s)",
        product.tenant_id(house.slug),
        list(new),
    )
    product.change(
        "update insula.tenants set version = version + 1, changed_xid = pg_current_xact_id()"
        " where slug = %s",
        house.slug,
    )
    until(5, lambda: set(house.kids()) == set(new))  # by the poll: nobody has said a word

    answer = house.browser.get(
        product.url(house.slug, "/oauth2/logout"), params={"id_token_hint": hint}
    )

    assert answer.status_code == 400
    assert house.browser.get(product.url(house.slug, "/")).status_code == 200  # signed in still


def test_every_process_shows_the_same_keys_within_a_second(product, four_workers):
    house = House(product)
    host = {"host": house.product.server.host(house.slug)}

    def shown():
        with httpx2.Client(base_url=four_workers.url, headers=host) as fresh:
            return {key["kid"] for key in fresh.get(JWKS).json()["keys"]}

    for _ in range(12):
        assert len(shown()) == 2
    new = set(house.publish())

    until(1.0, lambda: all(new <= shown() for _ in range(12)))


@pytest.mark.spec("RFC7517-5")
def test_the_keys_are_public_and_their_headers_exact(house):
    answer = house.api.get(JWKS)

    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300, must-revalidate"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    public = {"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"}
    for key in answer.json()["keys"]:
        assert set(key) <= public
        assert key["use"] == "sig"

    same = house.api.get(JWKS, headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == answer.headers["etag"]
    assert same.headers["cache-control"] == answer.headers["cache-control"]


def test_a_new_key_is_a_new_document(product):
    house = House(product)
    before = house.api.get(JWKS)

    new = house.publish()
    house.follow(lambda kids: set(new) <= set(kids))

    after = house.api.get(JWKS, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]


@pytest.mark.usefixtures("fresh_keys")
def test_no_two_tenants_share_a_key(product):
    one, other = House(product), House(product)

    assert not set(one.kids()) & set(other.kids())


def test_nobody_at_this_address_has_no_keys_and_is_not_kept(product):
    answer = httpx2.get(f"{product.server.url}{JWKS}", headers={"host": "nobody.localhost"})

    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
