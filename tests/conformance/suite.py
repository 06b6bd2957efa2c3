"""One run of a module at one tenant, with the steps that the certification suite is made of."""

import functools
import secrets
from dataclasses import dataclass

import pytest
from judging import check_answer_headers, check_authorization_answer, check_id_token
from sites import CALLBACK
from turns import idle, request, take_turns
from visitor import Arrival, Visitor

DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class Flow:
    """A whole flow of a client: what came of each step."""

    arrival: Arrival
    nonce: str | None
    tokens: dict
    claims: dict


class Run:
    """A module under way at one tenant; the others of the same test are its *peers*."""

    def __init__(self, site, response_mode):
        self.site = site
        self.response_mode = response_mode
        self.peers = []
        #: What the peers may see of this run.
        self.shown = {}
        self.metadata = {}
        self.jwks = {}
        self._api = site.http()
        self._visitors = []
        self.visitor = self.new_visitor()

    @property
    def issuer(self):
        return self.site.issuer

    def new_visitor(self):
        """A browser that nobody has signed in with yet."""
        visitor = Visitor(self.site)
        self._visitors.append(visitor)
        return visitor

    def close(self):
        self._api.close()
        for visitor in self._visitors:
            visitor.close()

    async def discover(self):
        """What each module begins with: the metadata, and the keys."""
        answer = await self.get(self.issuer + DISCOVERY)
        assert answer.status_code == 200
        self.metadata = answer.json()
        assert self.metadata["issuer"] == self.issuer
        self.jwks = (await self.get(self.metadata["jwks_uri"])).json()

    async def see(self, name):
        """What the other tenant's run of this module shows under *name* at the same point."""
        (peer,) = self.peers
        await idle()  # until the peer has come as far
        return peer.shown[name]

    # --- programs

    async def get(self, url, **options):
        return await request(self._api, "GET", url, **options)

    async def post(self, url, **options):
        return await request(self._api, "POST", url, **options)

    def client(self, name="first"):
        return self.site.clients[name]

    # --- the authorization endpoint

    def asked(self, client="first", **parameters):
        """The parameters of a request; one that is None is left out."""
        asked = {
            "client_id": self.client(client).client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "response_type": "code",
            **({"response_mode": "form_post"} if self.response_mode == "form_post" else {}),
            **parameters,
        }
        return {name: value for name, value in asked.items() if value is not None}

    async def authorize(self, client="first", *, visitor=None, method="GET", **parameters):
        """Send the browser with a request; the answer, if one is given, is judged."""
        asked = self.asked(client, **parameters)
        where = {"params": asked} if method == "GET" else {"data": asked}
        arrival = await (visitor or self.visitor).go(
            self.metadata["authorization_endpoint"], method, **where
        )
        if arrival.answer is not None:
            check_authorization_answer(arrival, asked, self)
        return arrival

    async def succeeds(self, client="first", **parameters):
        """A request that is answered with a code."""
        arrival = await self.authorize(client, **parameters)
        assert arrival.answer is not None, arrival.page.text
        assert set(arrival.answer) == {"code", "state", "iss"} - (
            {"state"} if parameters.get("state", "") is None else set()
        )
        return arrival

    async def refused(self, client="first", **parameters):
        """A request that is answered with an error; which."""
        arrival = await self.authorize(client, **parameters)
        assert arrival.answer is not None, arrival.page.text
        assert set(arrival.answer) == {"error", "error_description", "state", "iss"}
        return arrival.answer["error"]

    async def refused_on_a_page(self, **parameters):
        """A request that the provider answers itself, and the suite never hears of."""
        arrival = await self.authorize(**parameters)
        assert arrival.answer is None
        assert arrival.page.status == 400
        assert arrival.acted == []
        return arrival

    # --- the token endpoint

    async def token(self, client="first", **form):
        """The bare answer to a form, with the client's own authentication."""
        app = self.client(client)
        auth = None
        if client == "post":
            form = {**form, "client_id": app.client_id, "client_secret": app.secret}
        else:
            auth = (app.client_id, app.secret)
        answer = await self.post(self.metadata["token_endpoint"], data=form, auth=auth)
        check_answer_headers(answer)
        return answer

    async def redeem(self, arrival, client="first", **more):
        return await self.token(
            client,
            grant_type="authorization_code",
            code=arrival.answer["code"],
            redirect_uri=CALLBACK,
            **more,
        )

    async def tokens(self, arrival, client="first", **more):
        """A redemption that succeeds; its members."""
        answer = await self.redeem(arrival, client, **more)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        assert tokens["token_type"] == "Bearer"
        assert type(tokens["expires_in"]) is int
        assert tokens["expires_in"] > 0
        return tokens

    async def flow(self, client="first", *, redemption=None, **parameters):
        """A whole flow; its id_token is judged."""
        parameters = {"nonce": secrets.token_urlsafe(8), **parameters}
        arrival = await self.succeeds(client, **parameters)
        tokens = await self.tokens(arrival, client, **(redemption or {}))
        claims = check_id_token(
            tokens["id_token"],
            self,
            client_id=self.client(client).client_id,
            nonce=parameters["nonce"],
            access_token=tokens["access_token"],
        )
        return Flow(arrival, parameters["nonce"], tokens, claims)

    # --- the userinfo endpoint

    async def userinfo(self, access_token, method="GET"):
        """The bare answer to a token in the header."""
        return await request(
            self._api,
            method,
            self.metadata["userinfo_endpoint"],
            headers={"authorization": f"Bearer {access_token}"},
        )

    async def says(self, flow, method="GET"):
        """What userinfo says, of the same person as the id_token."""
        answer = await self.userinfo(flow.tokens["access_token"], method)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        says = answer.json()
        assert says["sub"] == flow.claims["sub"]
        return says


def interleaved(module):
    """Make a test of a module: it runs at all tenants at once, a request of each in turn."""

    @functools.wraps(module)
    def test(sites, response_mode):
        runs = [Run(site, response_mode) for site in sites]
        for run in runs:
            run.peers = [peer for peer in runs if peer is not run]
        try:
            turns = take_turns({run.site.slug: _whole(module, run) for run in runs})
        finally:
            for run in runs:
                run.close()
        assert len(set(turns.values())) == 1, turns

    del test.__wrapped__  # pytest asks for the parameters of the test, not of the module
    return test


async def _whole(module, run):
    await run.discover()
    await module(run)


#: The plans Basic and Form Post Basic are the same modules.
basic_and_form_post = pytest.mark.parametrize(
    "response_mode", ["query", "form_post"], ids=["basic", "formpost-basic"]
)
