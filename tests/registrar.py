"""A tenant that lets clients register, and a program that does."""

import secrets
import time
from datetime import timedelta

import httpx2
from browsing import some_address

from insula.config_overrides import service as config_overrides
from insula.providers.settings import ProtocolFeatures
from insula.registration import initial_tokens
from insula.registration.settings import RegistrationLimits

REDIRECT = "https://app.example/callback"
MINIMAL = {"redirect_uris": [REDIRECT], "id_token_signed_response_alg": "ES256"}


class Registrar:
    """One tenant's registration, from outside and behind the scenes."""

    def __init__(self, product, slug, port):
        self.product, self.slug = product, slug
        self.http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": product.server.host(slug)},
            timeout=60,
            limits=httpx2.Limits(max_keepalive_connections=0),  # all processes are met
        )

    # --- behind the scenes

    def run(self, work):
        """The result of the coroutine that *work* makes of the tenant."""

        async def act(here):
            return await work(await here.tenant(self.slug))

        return self.product.backstage.run(act)

    def switch(self, **values):
        """Change what the tenant decides; every process has heard of it when this returns."""
        known = RegistrationLimits.model_fields
        for section, own in (
            (RegistrationLimits, {n: v for n, v in values.items() if n in known}),
            (ProtocolFeatures, {n: v for n, v in values.items() if n not in known}),
        ):
            if own:
                self.run(lambda t, s=section, o=own: config_overrides.change(t, s, o))
        time.sleep(1.2)  # as long as a process may be behind

    def token(self, *, uses=1, life=3600, **policy):
        """A new initial access token."""

        async def make(tenant):
            parsed = initial_tokens.parse_policy(tenant, policy)
            made = await initial_tokens.create(
                tenant, uses=uses, life=timedelta(seconds=life), policy=parsed
            )
            return made[0]

        return self.run(make)

    def clients(self):
        return self.product.rows(
            "select * from insula.clients where tenant_id = %s and origin = 'dynamic'"
            " order by created_at",
            self.product.tenant_id(self.slug),
        )

    def tokens(self):
        return self.product.rows(
            "select * from insula.initial_access_tokens where tenant_id = %s order by created_at",
            self.product.tenant_id(self.slug),
        )

    # --- outside

    def post(self, members, *, token=None, address=None):
        """A registration, from an address of its own unless one is given."""
        headers = {"x-forwarded-for": address or some_address()}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return self.http.post("/oauth2/register", json=members, headers=headers)

    def register(self, **members):
        """A client that was registered with a token of its own; what it was told."""
        answer = self.post({**MINIMAL, **members}, token=self.token())
        assert answer.status_code == 201, answer.text
        return answer.json()

    def refused(self, *, policy=None, **members):
        """The error of a registration that is refused; it uses nothing of its token."""
        token = self.token(**(policy or {}))
        answer = self.post({**MINIMAL, **members}, token=token)
        assert answer.status_code == 400, answer.text
        assert self.tokens()[-1].uses_left == 1
        return answer.json()["error"]

    def at(self, client, method, members=None, *, token=None, client_id=None):
        """A request at a client's own address."""
        token = client["registration_access_token"] if token is None else token
        return self.http.request(
            method,
            f"/oauth2/register/{client_id or client['client_id']}",
            json=members,
            headers={"authorization": f"Bearer {token}", "x-forwarded-for": some_address()},
        )

    def replace(self, client, **members):
        return self.at(client, "PUT", {**MINIMAL, "client_id": client["client_id"], **members})

    def token_endpoint(self, client, **form):
        return self.http.post(
            "/oauth2/token", data=form, auth=(client["client_id"], client["client_secret"])
        )


def nobodys(prefix):
    """A value of the right shape that nobody was ever given."""
    return f"ins_{prefix}_{secrets.token_urlsafe(32)}"
