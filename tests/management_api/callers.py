"""Programs that call the management API: clients with scopes, their tokens, and their requests."""

import itertools
import secrets
from dataclasses import dataclass, field

from spine import FAST, signed_in, tokens_of

from insula.config_overrides import service as config_overrides
from insula.management_api.api import ROUTES
from insula.providers.settings import TokenLifetimes
from insula.resource_servers.builtin import scopes_of
from insula.tenancy.models import PLATFORMS

JSON = "application/json"
PROBLEM = "application/problem+json"


def every_scope(slug):
    return sorted(scopes_of(slug))


def label(slug):
    """The first label of a tenant's host."""
    return "platform" if slug == PLATFORMS else slug


@dataclass
class Caller:
    """A client of one tenant with a token; it calls that tenant's host unless told another."""

    product: object
    slug: str
    client_id: str
    secret: str
    token: str
    scopes: list = field(default_factory=list)
    person: object = None

    def call(self, method, path, *, at=None, token=None, headers=None, **more):
        return self.product.shared.request(
            method,
            self.product.url(label(at or self.slug), f"/api/v1{path}"),
            headers={"authorization": f"Bearer {token or self.token}", **(headers or {})},
            **more,
        )

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.call("POST", path, **({} if json is None else {"json": json}), **more)

    def patch(self, path, json, **more):
        return self.call("PATCH", path, json=json, **more)

    def put(self, path, json=None, **more):
        return self.call("PUT", path, **({} if json is None else {"json": json}), **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)


class Programs:
    """Makes callers; each is a client of its own, since calls are counted by client."""

    def __init__(self, product):
        self.product = product
        product.shared = product.http()  # making a client takes longer than any call

    def make(self, slug, scopes=None, *, dangerous=True, **metadata):
        """A client of the tenant with a token for *scopes*, all that there are unless named."""
        wanted = every_scope(slug) if scopes is None else [f"insula:{each}" for each in scopes]
        app = self.product.app(
            slug,
            grant_types=("client_credentials",),
            redirect_uris=(),
            post_logout_redirect_uris=(),
            scopes=tuple(wanted),
            allow_dangerous_api=dangerous,
            **metadata,
        )
        token = self.token(slug, app, wanted) if wanted else None
        return Caller(self.product, slug, app.client_id, app.secret, token, wanted)

    def token(self, slug, app, scopes, **more):
        answer = self.answer(slug, app, scopes, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def answer(self, slug, app, scopes, **more):
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes), **more}
        return self.product.shared.post(
            self.product.url(label(slug), "/oauth2/token"),
            data=form,
            auth=(app.client_id, app.secret),
        )

    def lives(self, slug, **seconds):
        """Decide for a new tenant how long its tokens live."""

        async def change(here):
            await config_overrides.change(await here.tenant(slug), TokenLifetimes, seconds)

        self.product.backstage.run(change)

    def for_person(self, slug, roles, scopes, **facts):
        """A client that acts for somebody with *roles*, who has just signed in."""
        wanted = [f"insula:{each}" for each in scopes]
        app = self.product.app(slug, scopes=("openid", "profile", *wanted), **FAST)
        person = self.product.person(slug, roles=roles, **facts)
        home = label(slug)
        with signed_in(self.product, home, app, person) as browser:
            asked = " ".join(["openid", *wanted])
            token = tokens_of(self.product, home, app, browser, scope=asked)["access_token"]
        caller = Caller(self.product, slug, app.client_id, app.secret, token, wanted)
        caller.person = person
        return caller

    def pool(self, slug, n):
        """Callers in turn, so that nobody is counted out."""
        return itertools.cycle([self.make(slug) for _ in range(n)])


def refusal(answer, status, code):
    """Look at a refusal: its form, its status and its code; what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert said["code"] == code, said
    assert said["type"] == f"urn:insula:error:{code}"
    assert said["status"] == status
    assert said["instance"] == answer.headers["x-request-id"]
    assert said["title"]
    assert said["detail"]
    return said


def name():
    return f"n{secrets.token_hex(6)}"


def routes():
    """Method, path and rule of every route."""
    return [
        (method, route.path, route.rule) for route in ROUTES for method in sorted(route.methods)
    ]
