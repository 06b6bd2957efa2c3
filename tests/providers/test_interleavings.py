"""Hundreds of ways for two tenants' flows to cross, in a process that has room for one provider."""


# ruff: noqa: S311  (dice that can be thrown again)

import http.client
import json
import random
from collections import Counter
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from product import CALLBACK, SLUGS, VERIFIER
from serving import serving
from spine import GRANTS, metric, signed_in

from insula.clients import service as clients
from insula.oidc.features.pkce import s256

#: The same at both tenants; only the secrets differ.
NAME = "everywhere"
METADATA = {
    "redirect_uris": (CALLBACK,),
    "consent": "skip",
    "grant_types": (*GRANTS, "urn:ietf:params:oauth:grant-type:device_code"),
    "id_token_signed_response_alg": "ES256",
    "token_endpoint_auth_method": "client_secret_post",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def narrow(product, tmp_path_factory):
    """Another server of the same installation, whose pool holds one provider."""
    here = product.server.environment
    with serving(
        here["INSULA_DATABASE_URL"],
        here["INSULA_DATABASE_PLATFORM_URL"],
        here["INSULA_REDIS_URL"],
        tmp_path_factory.mktemp("narrow"),
        INSULA_PUBLIC_PORT=here["INSULA_PUBLIC_PORT"],
        INSULA_MULTI_TENANCY_PROVIDER_POOL_MAX_SIZE="1",
        INSULA_LOG_LEVEL="WARNING",
    ) as server:
        yield server


class Answer(NamedTuple):
    status: int
    headers: object
    text: str


class Side:
    """One tenant as its application and its person see it, and everything they were given."""

    def __init__(self, product, slug, server):
        self.issuer = product.issuer(slug)
        self._line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._host = product.server.host(slug)
        self.secret = self._register(product, slug)
        person = product.person(slug, "same")
        self.subject = str(person.id)
        with signed_in(product, slug, self, person) as browser:
            kept = list(browser.http.cookies.jar)
        self.cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in kept)
        self.keys = {
            key["kid"]: jwt.PyJWK(key) for key in self.kept(self.get("/oauth2/jwks"))["keys"]
        }
        self.given = []

    client_id = NAME

    def _register(self, product, slug):
        async def make(here):
            tenant = await here.tenant(slug)
            parsed = clients.parse_metadata(METADATA, development=True)
            return await clients.register(tenant, NAME, parsed, client_id=NAME)

        return product.backstage.run(make).secret

    def _ask(self, method, path, headers, body=None):
        self._line.request(method, path, body, {"host": self._host, **headers})
        answer = self._line.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())

    def get(self, path, **headers):
        return self._ask("GET", path, headers)

    def post(self, path, **form):
        secret = {"client_id": NAME, "client_secret": self.secret}
        return self._ask("POST", path, FORM, urlencode({**form, **secret}))

    def read(self, token, typ, audience):
        """What a token says, which this side's keys alone must have signed."""
        head = jwt.get_unverified_header(token)
        assert head["typ"] == typ
        says = jwt.decode(
            token,
            self.keys[head["kid"]],
            algorithms=[head["alg"]],
            issuer=self.issuer,
            audience=audience,
        )
        assert says["sub"] in {self.subject, NAME}
        self.given.append(token)
        return says

    def kept(self, answer, status=200):
        assert answer.status == status, answer.text
        return json.loads(answer.text)


# Each flow yields after every request: there the other side has its turn.


def code_flow(side):
    tokens = yield from _sign_on(side, _request())
    answer = side.get("/oauth2/userinfo", authorization=f"Bearer {tokens['access_token']}")
    assert side.kept(answer)["sub"] == side.subject
    yield
    answer = side.post(
        "/oauth2/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    side.read(side.kept(answer)["access_token"], "at+jwt", side.issuer)
    yield


def _request():
    return {
        "client_id": NAME,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid profile offline_access",
        "prompt": "none",
        "nonce": f"n{random.getrandbits(64)}",
        "state": f"s{random.getrandbits(64)}",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }


def _sign_on(side, asked, **instead):
    query = urlencode(instead or asked)
    answer = side.get(f"/oauth2/authorize?{query}", cookie=side.cookie)
    assert answer.status == 303, answer.text
    back = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert back["iss"] == side.issuer
    assert back["state"] == asked["state"]
    side.given.append(back["code"])
    yield
    tokens = side.kept(
        side.post(
            "/oauth2/token",
            grant_type="authorization_code",
            code=back["code"],
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )
    )
    assert side.read(tokens["id_token"], "JWT", NAME)["nonce"] == asked["nonce"]
    side.read(tokens["access_token"], "at+jwt", side.issuer)
    side.given.append(tokens["refresh_token"])
    yield
    return tokens


def pushed_flow(side):
    asked = _request()
    told = side.kept(side.post("/oauth2/par", **asked), 201)
    yield
    yield from _sign_on(side, asked, client_id=NAME, request_uri=told["request_uri"])


def own_token(side):
    token = side.kept(side.post("/oauth2/token", grant_type="client_credentials"))["access_token"]
    side.read(token, "at+jwt", side.issuer)
    yield
    assert side.kept(side.post("/oauth2/introspect", token=token))["iss"] == side.issuer
    yield
    side.post("/oauth2/revoke", token=token)
    yield
    assert side.kept(side.post("/oauth2/introspect", token=token)) == {"active": False}
    yield


def device_flow(side):
    told = side.kept(side.post("/oauth2/device", scope="openid"))
    assert told["verification_uri"] == f"{side.issuer}/device"
    side.given.append(told["device_code"])
    yield
    answer = side.post(
        "/oauth2/token",
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=told["device_code"],
    )
    assert side.kept(answer, 400)["error"] == "authorization_pending"
    yield


def discovery(side):
    said = side.kept(side.get("/.well-known/openid-configuration"))
    assert said["issuer"] == side.issuer
    assert all(
        value.startswith(side.issuer) for name, value in said.items() if name.endswith("_endpoint")
    )
    yield
    assert {key["kid"] for key in side.kept(side.get("/oauth2/jwks"))["keys"]} == set(side.keys)
    yield


def trespass(side, other):
    """What the other side was given is worth nothing here, whatever it is."""
    if not other.given:
        return
    stolen = random.choice(other.given)
    answer = side.post("/oauth2/introspect", token=stolen)
    assert side.kept(answer) == {"active": False}
    yield
    answer = side.get("/oauth2/userinfo", authorization=f"Bearer {stolen}")
    assert answer.status == 401
    yield
    for form in (
        {"grant_type": "refresh_token", "refresh_token": stolen},
        {
            "grant_type": "authorization_code",
            "code": stolen,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        },
    ):
        assert side.kept(side.post("/oauth2/token", **form), 400)["error"] == "invalid_grant"
        yield


FLOWS = (code_flow, pushed_flow, own_token, device_flow, discovery)


def cross(first, second, dice):
    """Let two flows take their steps in an order that chance decides."""
    running = [first, second]
    while running:
        flow = dice.choice(running)
        try:
            next(flow)
        except StopIteration:
            running.remove(flow)


def test_crossings_by_chance_show_nobody_anything_of_the_other(product, narrow, often):
    times = often(200, 2000)
    a, b = (Side(product, slug, narrow) for slug in SLUGS)
    assert not a.keys.keys() & b.keys.keys()
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    random.seed(seed)
    seen = Counter()
    try:
        for _ in range(times):
            one, other = dice.choice(FLOWS), dice.choice(FLOWS)
            seen[one.__name__] += 1
            first = one(a) if dice.random() < 0.8 else trespass(a, b)
            second = other(b) if dice.random() < 0.8 else trespass(b, a)
            cross(first, second, dice)
    except AssertionError as failure:
        raise AssertionError(f"with seed {seed}: {failure}") from failure

    assert set(seen) == {flow.__name__ for flow in FLOWS}
    assert set(a.given).isdisjoint(b.given)
    assert json.dumps(a.given).count("ins_ac_") > times / 10
    # every change of sides found the other's provider in the only place
    assert metric(narrow, "provider_pool_evictions_total", why="size") > times
