"""The flows of the budget: each prepares one connection's turn."""

import base64
import itertools
import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bench.http import Connection, connect, get, header, post
from bench.installation import CALLBACK, Installation
from bench.load import Turn
from bench.proofs import Prover

OK, CREATED, SEE_OTHER = 200, 201, 303


class Flows:
    """The flows against one installation; *slug* is the tenant that has people and applications."""

    def __init__(self, here: Installation, slug: str) -> None:
        self._here = here
        self._slug = slug
        self._host = here.host(slug)

    def _basic(self, client: str) -> str:
        pair = f"{quote(client)}:{quote(self._here.secrets[client])}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def document(self, path: str, slugs: list[str]) -> Callable[[int], Awaitable[Turn]]:
        """GET a document of each tenant in turn."""
        requests = itertools.cycle([get(self._here.host(slug), path) for slug in slugs])

        async def make(_number: int) -> Turn:
            async def turn(line: Connection) -> None:
                await expect(line, next(requests), OK)

            return turn

        return make

    async def client_credentials(self, _number: int) -> Turn:
        request = post(
            self._host, "/oauth2/token", {"grant_type": "client_credentials"},
            authorization=self._basic("machine"),
        )  # fmt: skip

        async def turn(line: Connection) -> None:
            await expect(line, request, OK)

        return turn

    def code(self, client: str) -> Callable[[int], Awaitable[Turn]]:
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

            async def turn(line: Connection) -> None:
                tokens = await self._redeem(line, client, authorize)
                await expect(
                    line,
                    get(
                        self._host, "/oauth2/userinfo",
                        authorization=f"Bearer {tokens['access_token']}",
                    ),
                    OK,
                )  # fmt: skip

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

    async def _tokens(self, client: str, prover: Prover | None = None) -> dict[str, str]:
        """Tokens of one sign-on, with a refresh token."""
        cookie = await self._here.session_cookie(self._slug)
        query = urlencode(
            {
                "client_id": client,
                "response_type": "code",
                "redirect_uri": CALLBACK,
                "scope": "openid profile email offline_access",
            }
        )
        line = await connect(self._here.port)
        tokens = await self._redeem(
            line, client, get(self._host, f"/oauth2/authorize?{query}", cookie=cookie), prover
        )
        line.close()
        return tokens

    def refresh(self, client: str) -> Callable[[int], Awaitable[Turn]]:
        """Refresh with rotation, each connection its own family."""

        async def make(_number: int) -> Turn:
            current = (await self._tokens(client))["refresh_token"]
            basic = self._basic(client)

            async def turn(line: Connection) -> None:
                nonlocal current
                fields = {"grant_type": "refresh_token", "refresh_token": current}
                _, body = await expect(
                    line, post(self._host, "/oauth2/token", fields, authorization=basic), OK
                )
                current = json.loads(body)["refresh_token"]

            return turn

        return make

    async def userinfo(self, _number: int) -> Turn:
        token = (await self._tokens("es256"))["access_token"]
        request = get(self._host, "/oauth2/userinfo", authorization=f"Bearer {token}")

        async def turn(line: Connection) -> None:
            await expect(line, request, OK)

        return turn

    async def introspection(self, _number: int) -> Turn:
        token = (await self._tokens("es256"))["access_token"]
        request = post(
            self._host, "/oauth2/introspect", {"token": token},
            authorization=self._basic("machine"),
        )  # fmt: skip

        async def turn(line: Connection) -> None:
            _, body = await expect(line, request, OK)
            if b'"active":true' not in body:
                raise AssertionError(body)

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
        fields = {"grant_type": "client_credentials"}
        basic = self._basic("machine")

        async def turn(line: Connection) -> None:
            proof = prover.prove("POST", address)
            await expect(
                line,
                post(self._host, "/oauth2/token", fields, authorization=basic, dpop=proof),
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
            await expect(
                line,
                get(
                    self._host, "/oauth2/userinfo", authorization=f"DPoP {token}", dpop=proof
                ),
                OK,
            )  # fmt: skip

        return turn

    async def sign_in(self, _number: int) -> Turn:
        async def turn(_line: Connection) -> None:
            await self._here.session_cookie(self._slug)

        return turn


async def expect(line: Connection, request: bytes, status: int) -> tuple[bytes, bytes]:
    """Send; head and body of the answer, which must have *status*."""
    found, head, body = await line.send(request)
    if found != status:
        raise AssertionError(f"{found}: {body[:300]!r}")
    return head, body
