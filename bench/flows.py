"""The flows of the budget: each prepares one connection's turn."""

import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bench.http import Connection, connect, get, header, post
from bench.load import CONNECTIONS, Loaded, Make, Turn
from bench.proofs import Prover

OK, CREATED, SEE_OTHER = 200, 201, 303
CALLBACK = "https://app.example/callback"
#: One for each connection: several at once under one name would look like guesses.
PEOPLE = ("ada", *(f"ada{number}" for number in range(1, CONNECTIONS)))
_FOR_ITSELF = {"grant_type": "client_credentials", "scope": "reports:read"}


class Provider(Loaded, Protocol):
    """A provider for many tenants, with the applications of the flows and their secrets."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Of the applications, by client id."""

    @property
    def offline(self) -> Mapping[str, str]:
        """What else a request says that wants a refresh token."""

    def host(self, slug: str) -> str:
        """Where a tenant is."""

    async def session_cookie(self, slug: str, username: str = PEOPLE[0]) -> str:
        """Sign in as a person would; the session cookie."""


def documents(here: Loaded, hosts: Sequence[str], path: str) -> Make:
    """GET a document of each host in turn, all of them known to a server that has run for long."""
    each = [get(host, path) for host in hosts]
    requests = itertools.cycle(each)

    async def make(number: int) -> Turn:
        if number == 0:
            line = await connect(here.port)
            for request in each:
                await expect(line, request, OK)
            line.close()

        async def turn(line: Connection) -> None:
            await expect(line, next(requests), OK)

        return turn

    return make


class Flows:
    """The flows against one provider; *slug* is the tenant that has people and applications."""

    def __init__(self, here: Provider, slug: str) -> None:
        self._here = here
        self._slug = slug
        self._host = here.host(slug)

    def _basic(self, client: str) -> str:
        pair = f"{quote(client)}:{quote(self._here.secrets[client])}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def document(self, path: str, slugs: Sequence[str]) -> Make:
        """GET a document of each tenant in turn."""
        return documents(self._here, [self._here.host(slug) for slug in slugs], path)

    async def client_credentials(self, _number: int) -> Turn:
        request = post(
            self._host, "/oauth2/token", _FOR_ITSELF, authorization=self._basic("machine")
        )  # fmt: skip
        line = await connect(self._here.port)
        _, body = await expect(line, request, OK)
        line.close()
        _check_alg(json.loads(body)["access_token"], "ES256")

        async def turn(line: Connection) -> None:
            await expect(line, request, OK)

        return turn

    def code(self, client: str) -> Make:
        """Authorize with a live session, redeem the code, ask userinfo: three requests."""

        async def make(_number: int) -> Turn:
            cookie = await self._here.session_cookie(self._slug)
            query = urlencode(
                {
                    "client_id": client,
                    "response_type": "code",
                    "redirect_uri": CALLBACK,
                    "scope": "openid profile email",
                    "state": "s" * 22,
                    "nonce": "n" * 22,
                }
            )
            authorize = get(self._host, f"/oauth2/authorize?{query}", cookie=cookie)

            async def turn(line: Connection) -> dict[str, str]:
                tokens = await self._redeem(line, client, authorize)
                await self._check_person(line, tokens["access_token"])
                return tokens

            line = await connect(self._here.port)
            _check_alg((await turn(line))["id_token"], client.upper())
            line.close()
            return turn

        return make

    async def _redeem(
        self, line: Connection, client: str, authorize: bytes, prover: Prover | None = None
    ) -> dict[str, str]:
        head, _ = await expect(line, authorize, SEE_OTHER)
        code = parse_qs(urlsplit(header(head, "location")).query)["code"][0]
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        more = {"authorization": self._basic(client)}
        if prover is not None:
            more["dpop"] = prover.prove("POST", f"http://{self._host}/oauth2/token")
        _, body = await expect(line, post(self._host, "/oauth2/token", fields, **more), OK)
        tokens: dict[str, str] = json.loads(body)
        return tokens

    async def _check_person(self, line: Connection, token: str) -> None:
        _, body = await expect(
            line, get(self._host, "/oauth2/userinfo", authorization=f"Bearer {token}"), OK
        )
        _check_said(body, b'"email"')

    async def _tokens(self, client: str, prover: Prover | None = None) -> dict[str, str]:
        """Tokens of one sign-on, with a refresh token."""
        cookie = await self._here.session_cookie(self._slug)
        query = urlencode(
            {
                "client_id": client,
                "response_type": "code",
                "redirect_uri": CALLBACK,
                "scope": "openid profile email offline_access",
                **self._here.offline,
            }
        )
        line = await connect(self._here.port)
        tokens = await self._redeem(
            line, client, get(self._host, f"/oauth2/authorize?{query}", cookie=cookie), prover
        )
        line.close()
        return tokens

    def refresh(self, client: str) -> Make:
        """Refresh with rotation, each connection its own family."""

        async def make(_number: int) -> Turn:
            tokens = await self._tokens(client)
            _check_alg(tokens["id_token"], client.upper())
            current = tokens["refresh_token"]
            basic = self._basic(client)

            async def turn(line: Connection) -> None:
                nonlocal current
                fields = {"grant_type": "refresh_token", "refresh_token": current}
                _, body = await expect(
                    line, post(self._host, "/oauth2/token", fields, authorization=basic), OK
                )
                spent, current = current, json.loads(body)["refresh_token"]
                if current == spent:
                    raise AssertionError("a refresh token that does not rotate")

            return turn

        return make

    async def userinfo(self, _number: int) -> Turn:
        token = (await self._tokens("es256"))["access_token"]

        async def turn(line: Connection) -> None:
            await self._check_person(line, token)

        return turn

    async def introspection(self, _number: int) -> Turn:
        token = (await self._tokens("es256"))["access_token"]
        request = post(
            self._host, "/oauth2/introspect", {"token": token},
            authorization=self._basic("machine"),
        )  # fmt: skip

        async def turn(line: Connection) -> None:
            _, body = await expect(line, request, OK)
            _check_said(body, b'"active":true')

        return turn

    async def par(self, _number: int) -> Turn:
        """Push a whole authorization request."""
        request = post(
            self._host, "/oauth2/par",
            {
                "client_id": "es256",
                "response_type": "code",
                "redirect_uri": CALLBACK,
                "scope": "openid profile email",
                "state": "s" * 22,
                "nonce": "n" * 22,
            },
            authorization=self._basic("es256"),
        )  # fmt: skip

        async def turn(line: Connection) -> None:
            await expect(line, request, CREATED)

        return turn

    async def dpop_client_credentials(self, _number: int) -> Turn:
        """A client's own token bound to a key: a proof is signed and verified each time."""
        prover = Prover()
        address = f"http://{self._host}/oauth2/token"
        basic = self._basic("machine")

        async def turn(line: Connection) -> None:
            proof = prover.prove("POST", address)
            await expect(
                line,
                post(self._host, "/oauth2/token", _FOR_ITSELF, authorization=basic, dpop=proof),
                OK,
            )

        return turn

    async def dpop_userinfo(self, _number: int) -> Turn:
        """Userinfo with a bound token and a fresh proof each time."""
        prover = Prover()
        address = f"http://{self._host}/oauth2/userinfo"
        token = (await self._tokens("es256", prover))["access_token"]

        async def turn(line: Connection) -> None:
            proof = prover.prove("GET", address, token)
            _, body = await expect(
                line,
                get(
                    self._host, "/oauth2/userinfo", authorization=f"DPoP {token}", dpop=proof
                ),
                OK,
            )  # fmt: skip
            _check_said(body, b'"email"')

        return turn

    async def sign_in(self, number: int) -> Turn:
        async def turn(_line: Connection) -> None:
            await self._here.session_cookie(self._slug, PEOPLE[number])

        return turn


async def expect(line: Connection, request: bytes, status: int) -> tuple[bytes, bytes]:
    """Send; head and body of the answer, which must have *status*."""
    found, head, body = await line.send(request)
    if found != status:
        raise AssertionError(f"{found}: {body[:300]!r}")
    return head, body


def _check_said(body: bytes, words: bytes) -> None:
    if words not in body:
        raise AssertionError(body)


def _check_alg(token: str, alg: str) -> None:
    """Whether a JWT is signed as the flow's name says."""
    head = token.partition(".")[0]
    found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"]
    if found != alg:
        raise AssertionError(f"signed with {found}, not {alg}")
