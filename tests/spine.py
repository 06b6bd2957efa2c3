"""What tests of the serving spine share: somebody signed in, their tokens, and crowds."""

import asyncio
import re
import time
from urllib.parse import urlsplit

import httpx2
from browsing import Browser
from product import CALLBACK, VERIFIER

OFFLINE = "openid profile offline_access"
#: Signing with RSA is slow, and seldom what is looked at.
FAST = {"id_token_signed_response_alg": "ES256"}
GRANTS = ("authorization_code", "refresh_token", "client_credentials")


def signed_in(product, slug, app, person=None):
    """Somebody's browser with a live session at *slug*."""
    person = person or product.person(slug)
    browser = Browser()
    arrived = browser.sign_in(browser.open(product.authorize_url(slug, app)), person)
    assert arrived.left is not None, arrived.text
    return browser


def code_of(product, slug, app, browser, **parameters):
    """A fresh code for whoever is signed in there."""
    return browser.open(product.authorize_url(slug, app, **parameters)).code


def redemption(code):
    """The form that spends a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


def tokens_of(product, slug, app, browser, scope=OFFLINE):
    answer = product.redeem(slug, app, code_of(product, slug, app, browser, scope=scope))
    assert answer.status_code == 200, answer.text
    return answer.json()


class Api:
    """An application at its tenant's endpoints; *port* is another server's than the issuer's."""

    def __init__(self, product, slug, app, *, port=None, **headers):
        self._product, self._slug, self._app = product, slug, app
        self.http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port or product.server.port}",
            headers={"host": product.server.host(slug), **headers},
            timeout=30,
        )

    @property
    def auth(self):
        return (self._app.client_id, self._app.secret) if self._app.secret else None

    def post(self, path, **form):
        if self._app.secret is None:
            form.setdefault("client_id", self._app.client_id)
        return self.http.post(path, data=form, auth=self.auth)

    def token(self, **form):
        return self.post("/oauth2/token", **form)

    def redeem(self, code, **changes):
        return self.token(**{**redemption(code), **changes})

    def refresh(self, token, **changes):
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)

    def own_token(self, **form):
        return self.token(grant_type="client_credentials", **form)

    def introspect(self, token):
        return self.post("/oauth2/introspect", token=token)

    def revoke(self, token):
        return self.post("/oauth2/revoke", token=token)

    def userinfo(self, token):
        return self.http.get("/oauth2/userinfo", headers={"authorization": f"Bearer {token}"})

    def get(self, path, **options):
        return self.http.get(path, **options)

    def is_active(self, token):
        return self.introspect(token).json()["active"]


class Crowd:
    """Many requests at once, each over a connection of its own, so that all workers are met."""

    def __init__(self, product, slug, app, port):
        limits = httpx2.Limits(max_connections=100, max_keepalive_connections=0)
        self._http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": product.server.host(slug)},
            auth=(app.client_id, app.secret),
            timeout=60,
            limits=limits,
        )

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self._http.aclose()

    async def all(self, forms):
        """The answers of the token endpoint, in the order of *forms*."""
        return await asyncio.gather(*(self._http.post("/oauth2/token", data=f) for f in forms))


def until(seconds, holds, *, every=0.02):
    """How long it took until *holds*; fails when it takes longer than *seconds*."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        time.sleep(every)
    return time.monotonic() - started


def metric(server, name, **labels):
    """The value of one sample of the metrics of a server with one process."""
    text = httpx2.get(f"{server.url}/metrics", headers={"host": server.host("ops")}).text
    wanted = "".join(f'{k}="{v}",' for k, v in sorted(labels.items())).rstrip(",")
    pattern = "^" + re.escape(name + (f"{{{wanted}}}" if wanted else "")) + r" (\S+)$"
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def fields_of(location):
    """What a redirect says, by name."""
    return dict(pair.split("=", 1) for pair in urlsplit(location).query.split("&") if pair)
