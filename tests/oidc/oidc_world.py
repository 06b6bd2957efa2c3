"""A provider over memory, and a browser and a client that talk to it by plain ASGI."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit
from uuid import UUID, uuid4

from insula.oidc.memory import Host
from insula.oidc.models import Client, Lifetimes, Person
from insula.oidc.provider import Provider
from insula.oidc.signing import KeyRing, PublicKey, load_signing_key

ISSUER = "https://acme.example"
CALLBACK = "https://app.example/cb"
SECRET = "ins_cs_" + "s" * 43
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


def ring_of(generated, *, retired=()):
    return KeyRing(
        signing={k.alg: load_signing_key(k.kid, k.alg, k.pkcs8_der) for k in generated},
        published=[PublicKey(k.kid, k.alg, k.public_jwk, "active") for k in generated],
        hint_only=[PublicKey(k.kid, k.alg, k.public_jwk, "retired") for k in retired],
    )


@dataclass
class Answer:
    status: int
    raw_headers: list
    body: bytes

    @property
    def headers(self):
        return {name.decode(): value.decode("latin-1") for name, value in self.raw_headers}

    def all(self, name):
        return [value.decode("latin-1") for key, value in self.raw_headers if key == name.encode()]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def location(self):
        return self.headers["location"]

    @property
    def fields(self):
        """What an authorization response says, whichever way it travels."""
        if self.status == 200:
            inputs = re.findall(r'name="([^"]*)" value="([^"]*)"', self.text)
            return dict(inputs)
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))

    @property
    def code(self):
        return self.fields["code"]


async def call(
    app,
    method,
    path,
    *,
    query=b"",
    headers=(),
    body=b"",
    chunks=None,
    extra=None,
):
    """One request, as the server would hand it over."""
    if isinstance(query, dict | list):
        query = urlencode(query).encode()
    waiting = chunks if chunks is not None else [body]
    messages = [
        {"type": "http.request", "body": chunk, "more_body": n < len(waiting) - 1}
        for n, chunk in enumerate(waiting)
    ]
    sent = []

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
        "insula.client_ip": "192.0.2.7",
        "insula.request_id": "req-1",
        **(extra or {}),
    }
    await app(scope, receive, send)
    start, *rest = sent
    return Answer(
        start["status"], list(start["headers"]), b"".join(m.get("body", b"") for m in rest)
    )


FORM = ("content-type", "application/x-www-form-urlencoded")


def basic(client_id, secret=SECRET):
    both = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return ("authorization", "Basic " + base64.b64encode(both).decode())


def bearer(token):
    return ("authorization", f"Bearer {token}")


@dataclass
class Browser:
    """Keeps cookies, follows nothing by itself."""

    world: "World"
    cookies: dict = field(default_factory=dict)

    async def go(self, path, params=(), *, method="GET", headers=(), cookies=True):
        """Send the browser somewhere; *params* a mapping, pairs or an encoded query."""
        encoded = (
            params if isinstance(params, bytes) else urlencode(params, quote_via=quote).encode()
        )
        sent = list(headers)
        if cookies and self.cookies:
            sent.append(("cookie", "; ".join(f"{n}={v}" for n, v in self.cookies.items())))
        if method == "POST":
            answer = await call(
                self.world.provider, "POST", path, headers=[FORM, *sent], body=encoded
            )
        else:
            answer = await call(self.world.provider, method, path, headers=sent, query=encoded)
        for cookie in answer.all("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    async def authorize(self, client, *, without=(), method="GET", **changes):
        params = self.world.request(client) | changes
        for name in without:
            del params[name]
        return await self.go("/oauth2/authorize", params, method=method)

    async def follow(self, answer):
        target = urlsplit(answer.location)
        return await self.go(target.path, target.query.encode())

    async def resume(self, txn):
        return await self.go("/oauth2/authorize/resume", {"txn": str(txn)})


@dataclass
class World:
    host: Host
    provider: Provider
    ada: Person

    # clients

    def client(self, client_id="web", *, secret=SECRET, **changes):
        registered = {
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": ("https://app.example/bye",),
            "grant_types": frozenset({"authorization_code", "refresh_token", "client_credentials"}),
            "scopes": frozenset(
                {"openid", "profile", "email", "address", "phone", "offline_access", "api:read"}
            ),
            "consent": "skip",
            "id_token_signed_response_alg": "ES256",
        }
        client = Client(id=uuid4(), client_id=client_id, name="App", **registered | changes)
        return self.host.clients.add(client, "" if client.is_public else secret)

    def public(self, client_id="spa", **changes):
        return self.client(client_id, token_endpoint_auth_method="none", **changes)  # noqa: S106

    def change(self, client, **changes):
        changed = replace(client, **changes)
        self.host.clients.active[client.client_id] = changed
        return changed

    # browsers

    def browser(self):
        return Browser(self)

    def signed_in(self, person=None, *, ago=0):
        cookie = self.host.people.sign_in(person or self.ada, ago=ago)
        return Browser(self, {"session": cookie})

    def txn(self, answer):
        """The interaction that an answer sends the browser to sign-in with."""
        assert answer.status == 303, answer.text
        target = urlsplit(answer.location)
        assert target.path == "/sign-in", answer.location
        return UUID(dict(parse_qsl(target.query))["txn"])

    def asked(self, answer):
        return self.host.people.interactions[self.txn(answer)].ask

    # requests

    def request(self, client):
        return {
            "client_id": client.client_id,
            "response_type": "code",
            "redirect_uri": client.redirect_uris[0],
            "scope": "openid",
            "state": "xyz",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }

    async def code(self, client, browser=None, **changes):
        browser = browser or self.signed_in()
        answer = await browser.authorize(client, **changes)
        assert answer.status == 303, answer.text
        assert "code" in answer.fields, answer.location
        return answer.code

    async def post(self, path, client, params, *, headers=None):
        """A form of *client*, authenticated as it is registered; an absent value is None."""
        params = {name: value for name, value in params.items() if value is not None}
        if client.is_public:
            params = {"client_id": client.client_id} | params
        if headers is None and client.token_endpoint_auth_method == "client_secret_post":
            params = {"client_id": client.client_id, "client_secret": SECRET} | params
        if headers is None and client.token_endpoint_auth_method == "client_secret_basic":
            headers = [basic(client.client_id)]
        return await call(
            self.provider,
            "POST",
            path,
            headers=[FORM, *(headers or ())],
            body=urlencode(params).encode(),
        )

    async def token(self, client, *, headers=None, **params):
        return await self.post("/oauth2/token", client, params, headers=headers)

    async def redeem(self, client, code, **changes):
        params = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uris[0],
            "code_verifier": VERIFIER,
        }
        return await self.token(client, **params | changes)

    async def tokens(self, client, browser=None, **changes):
        answer = await self.redeem(client, await self.code(client, browser, **changes))
        assert answer.status == 200, answer.text
        return answer.json

    async def refresh(self, client, token, **changes):
        return await self.token(
            client, grant_type="refresh_token", **{"refresh_token": token} | changes
        )

    async def userinfo(self, token, *, method="GET", headers=()):
        return await call(
            self.provider, method, "/oauth2/userinfo", headers=[bearer(token), *headers]
        )

    async def introspect(self, client, token):
        return await self.post("/oauth2/introspect", client, {"token": token})

    async def revoke(self, client, token, **more):
        return await self.post("/oauth2/revoke", client, {"token": token, **more})

    @property
    def trips(self) -> Counter:
        return self.host.wire.trips

    async def trips_of(self, awaitable):
        """How often the engine went to its host for this."""
        self.trips.clear()
        answer = await awaitable
        return answer, dict(self.trips)


ADA = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "email": "ada@acme.example",
    "email_verified": True,
    "address": {"country": "GB"},
    "phone_number": "+441234",
    "updated_at": 1700000000,
}

SCOPES = {
    "openid": ("sub",),
    "profile": ("name", "given_name", "updated_at"),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    "offline_access": (),
    "api:read": (),
    "api:write": (),
}


def build(host, keys, **changes):
    return Provider(
        issuer=ISSUER,
        keys=keys,
        clients=host.clients,
        people=host.people,
        tokens=host.tokens,
        requests=host.requests,
        registrations=host.registrations,
        devices=host.devices,
        pages=host.pages,
        **{"lifetimes": Lifetimes(), "scopes": SCOPES} | changes,
    )
