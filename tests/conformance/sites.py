"""Where the certification suite looks: two tenants of one https installation, set up alike."""

import secrets
from dataclasses import dataclass

import httpx2
from back_channels import BackChannel
from browsing import some_address
from people import App, Somebody
from product import Product
from serving import Server
from subject import make_subject

from insula.clients import service as clients

#: Addresses of the suite: it is never called, it only reads where browsers are sent.
CALLBACK = "https://suite.example/test/a/insula/callback"
SIGNED_OUT = "https://suite.example/test/a/insula/post_logout_redirect"
CLEAN_UP = "https://suite.example/test/a/insula/frontchannel_logout"
PROXY_SECRET = secrets.token_urlsafe(32)
SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")

_STATIC = {
    "profile": "standard",
    "redirect_uris": (CALLBACK,),
    "post_logout_redirect_uris": (SIGNED_OUT,),
    "scopes": SCOPES,
    "consent": "ask",
}
#: The clients that the suite is given, at each tenant under the same client_id.
REGISTRATIONS = {
    "first": {},
    "second": {"require_auth_time": True},
    "post": {"token_endpoint_auth_method": "client_secret_post"},
    "frontchannel": {
        "frontchannel_logout_uri": CLEAN_UP,
        "frontchannel_logout_session_required": True,
    },
}


class BehindProxy(Server):
    """An installation whose hosts are under auth.example, at the far side of a TLS proxy."""

    def host(self, slug):
        return f"{slug}.auth.example"

    def issuer(self, slug):
        return f"https://{self.host(slug)}"


class ThroughProxy(httpx2.BaseTransport):
    """The proxy: it ends TLS, and says who called."""

    def __init__(self, port, address):
        self._port, self._address = port, address
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request):
        assert request.url.scheme == "https", f"over {request.url.scheme}: {request.url}"
        assert request.url.host.endswith(".auth.example"), f"not the provider's: {request.url}"
        headers = request.headers.copy()
        headers["x-forwarded-for"] = self._address
        headers["x-forwarded-proto"] = "https"
        headers["x-insula-proxy-secret"] = PROXY_SECRET
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port),
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(sent)

    def close(self):
        self._inner.close()


def variables():
    """What makes an installation one to be certified: https, and room for one tenant in memory."""
    return {
        "INSULA_ENV": "staging",
        "INSULA_BASE_DOMAIN": "auth.example",
        "INSULA_MULTI_TENANCY_PROVIDER_POOL_MAX_SIZE": "1",
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
        "INSULA_PROXY_SECRET": PROXY_SECRET,
        "INSULA_POLL_SECONDS": "1",
    }


@dataclass(frozen=True)
class Site:
    """A tenant as the suite is configured for it."""

    product: Product
    slug: str
    person: Somebody
    clients: dict[str, App]

    @property
    def issuer(self):
        return self.product.issuer(self.slug)

    def http(self, **options):
        """A program, or a browser, at an address of its own."""
        transport = ThroughProxy(self.product.server.port, some_address())
        return httpx2.Client(transport=transport, timeout=30, **options)


@dataclass(frozen=True)
class StaticSite(Site):
    """A tenant with the static clients; the suite hears of its sign-outs at *back_channel*."""

    back_channel: BackChannel

    @property
    def told_at(self):
        """The path of this tenant there."""
        return f"/test/a/{self.slug}/backchannel_logout"


def static_metadata(changes):
    """Read the metadata of a static client with *changes*. Raises `InvalidClientMetadata`."""
    return clients.parse_metadata({**_STATIC, **changes}, development=False)


def make_site(product, slug, back_channel):
    """Set a tenant up: one person with every claim, and the static clients."""
    made = {}
    site = StaticSite(product, slug, make_subject(product, slug), made, back_channel)
    told = {
        "backchannel_logout_uri": back_channel.url(site.told_at),
        "backchannel_logout_session_required": True,
    }
    for client_id, changes in {**REGISTRATIONS, "backchannel": told}.items():

        async def register(here, client_id=client_id, changes=changes):
            return await clients.register(
                await here.tenant(slug),
                f"Suite {client_id}",
                static_metadata(changes),
                client_id=client_id,
            )

        registered = product.backstage.run(register)
        made[client_id] = App(registered.id, registered.client_id, registered.secret)
    return site
