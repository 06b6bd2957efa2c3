"""
The running product with its demo tenants: one server for each worker, as people would find it.

Beside it stands a backstage: the services themselves, on the same database, to make people and
applications and to do what administrators do.
"""

import asyncio
import secrets
import threading
from contextlib import AsyncExitStack
from urllib.parse import urlencode

import httpx2
import psycopg
import pytest
from browsing import ToThisMachine
from foundation import fresh_database
from name_server import NameServer
from people import App, Somebody, hashed
from psycopg.rows import namedtuple_row
from serving import environment, serving

from insula.accounts import service as accounts
from insula.accounts.activation import service as activation
from insula.clients import service as clients
from insula.oidc.features.pkce import s256
from insula.platform.context import opened
from insula.platform.dev import seed
from insula.platform.dev.secrets import Remembered
from insula.platform.embedded.ports import free_port
from insula.tenants import service as tenants

CALLBACK = "http://127.0.0.1:9000/callback"
SIGNED_OUT = "http://127.0.0.1:9000/signed-out"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-long"
SLUGS = ("acme", "globex")


class Backstage:
    """The services of the installation, in a thread with a loop of its own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()
        self._thread.start()
        self._here = self._wait_for(self._stack.enter_async_context(opened()))

    def _wait_for(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def run(self, work):
        """The result of the coroutine that *work* makes of the installation's context."""
        return self._wait_for(work(self._here))

    def close(self):
        self._wait_for(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Product:
    """Insula as it runs, with the tenants acme and globex."""

    def __init__(self, server, database, backstage, demo_url):
        self.server = server
        self.backstage = backstage
        self.demo_url = demo_url
        self.remembered = Remembered()
        backstage.run(lambda here: seed.seed(here, self.remembered, demo_url))
        self.db = psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row)
        self._tenant_ids = {}

    def issuer(self, slug):
        return self.server.issuer(slug)

    def url(self, slug, path):
        return f"{self.issuer(slug)}{path}"

    def http(self, **options):
        """A bare client, as a program has it."""
        return httpx2.Client(transport=ToThisMachine(), timeout=30, **options)

    # --- behind the scenes

    def rows(self, sql, *values):
        """Look at the database with nobody's policies."""
        return self.db.execute(sql, values).fetchall()

    def change(self, sql, *values):
        """Move time, or do what no service does; returns how many rows were touched."""
        return self.db.execute(sql, values).rowcount

    def tenant_id(self, slug):
        if slug not in self._tenant_ids:
            (row,) = self.rows("select id from insula.tenants where slug = %s", slug)
            self._tenant_ids[slug] = row.id
        return self._tenant_ids[slug]

    def audit(self, slug, event, **facts):
        """The lines of the record of one kind, newest first, that hold these values."""
        found = self.rows(
            "select * from insula.audit_events where tenant_id = %s and event = %s"
            " order by at desc",
            self.tenant_id(slug),
            event,
        )
        return [row for row in found if all(getattr(row, k) == v for k, v in facts.items())]

    def in_transaction(self, slug, work):
        """Do *work* with a transaction of the tenant, as a service's caller does."""

        async def act(here):
            tenant = await here.tenant(slug)
            async with tenant.transaction() as db:
                return await work(db)

        return self.backstage.run(act)

    # --- tenants, people and applications

    def tenant(self, slug):
        """One more tenant, for a test that would disturb the others in theirs."""
        self.backstage.run(
            lambda here: tenants.create(
                here.platform, here.envelope, here.rotation, slug=slug, display_name=slug.title()
            )
        )

    def suspend(self, slug):
        self.backstage.run(lambda here: tenants.set_status(here.platform, slug, "suspended"))

    def demo_person(self, slug):
        """The user whom the seed has made."""
        who = seed.people_of(slug)[1]
        return Somebody(None, who.username, seed.email_of(slug, who), who.password)

    def person(self, slug, username=None, **facts):
        """Somebody new, who can sign in."""
        username = username or f"p{secrets.token_hex(6)}"
        email, password = f"{username}@{slug}.example", "a password that is long enough"
        values = {"email_verified": True, "display_name": "Ada Lovelace", **facts}

        async def make(db):
            return await accounts.create(
                db, username=username, email=email, password_hash=hashed(password), **values
            )

        return Somebody(self.in_transaction(slug, make), username, email, password)

    def newcomer(self, slug):
        """Somebody new, who has no password yet."""
        username = f"n{secrets.token_hex(6)}"
        email = f"{username}@{slug}.example"

        async def make(db):
            return await accounts.create(db, username=username, email=email)

        return Somebody(self.in_transaction(slug, make), username, email, "")

    def activation_url(self, slug, person, **facts):
        """A new link for somebody to choose a password by."""

        async def make(db):
            return await activation.issue(db, self.tenant_id(slug), person.id, **facts)

        return self.in_transaction(slug, make).url(self.issuer(slug))

    def app(self, slug, **metadata):
        """A new application; people need not be asked unless *metadata* says so."""
        values = {
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": (SIGNED_OUT,),
            "consent": "skip",
            **metadata,
        }

        async def make(here):
            tenant = await here.tenant(slug)
            parsed = clients.parse_metadata(values, development=True)
            return await clients.register(tenant, f"App {secrets.token_hex(2)}", parsed)

        made = self.backstage.run(make)
        return App(made.id, made.client_id, made.secret)

    def demo_app(self, slug, client_id):
        """One of the applications that the seed has made."""
        return App(None, client_id, self.remembered.clients.get(f"{slug}/{client_id}"))

    # --- the protocol, as far as a test of something else needs it

    def authorize_url(self, slug, app, **parameters):
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "xyz",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            **parameters,
        }
        sent = {name: value for name, value in asked.items() if value is not None}
        return self.url(slug, f"/oauth2/authorize?{urlencode(sent)}")

    def redeem(self, slug, app, code):
        """The answer of the token endpoint for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        with self.http(auth=(app.client_id, app.secret)) as http:
            return http.post(self.url(slug, "/oauth2/token"), data=form)


@pytest.fixture(scope="session")
def name_server():
    """Whom the product asks for TXT records."""
    with NameServer().running() as server:
        yield server


@pytest.fixture(scope="session")
def product(cluster, template, worker_id, tmp_path_factory, name_server):
    """The product of this worker. Visitors are told apart by X-Forwarded-For."""
    urls = fresh_database(cluster, template, f"insula_product_{worker_id}")
    more = {
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
        "INSULA_POLL_SECONDS": "1",
        "INSULA_DNS_RESOLVERS": name_server.address,
    }
    folder = tmp_path_factory.mktemp("product")
    with serving(urls.app, urls.platform, cluster.valkey_url, folder, **more) as server:
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environment(
                urls.app, urls.platform, cluster.valkey_url, server.port, **more
            ).items():
                patch.setenv(variable, value)
            backstage = Backstage()
        product = Product(server, urls, backstage, f"http://127.0.0.1:{free_port()}")
        yield product
        product.db.close()
        backstage.close()
