"""What people and programs ask a running server: lists, searches, a new tenant."""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

from bench.flows import CREATED, OK, SEE_OTHER, expect
from bench.http import Connection, connect, get, header, post, post_json
from bench.installation import PASSWORD, Installation
from bench.scale.within import percentile
from insula.platform.dev.seed import PLATFORM_SCOPES
from insula.platform.seeding.models import slug_of
from insula.registry.models import Cursor

_TURNS = 30
_CREATIONS = 8
_CSRF = re.compile(rb'name="csrf_token" value="([^"]+)"')
_LIST = "/platform/tenants"
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody on the platform's host, with what proves them."""

    line: Connection
    host: str
    cookie: str
    bearer: str

    def page(self, path: str, **query: str) -> bytes:
        address = f"{path}?{urlencode(query)}" if query else path
        return get(self.host, address, cookie=self.cookie)

    def call(self, path: str, **query: str) -> bytes:
        return get(self.host, f"{path}?{urlencode(query)}", authorization=self.bearer)


async def caller(here: Installation, username: str, client_id: str) -> Caller:
    """Sign in as an administrator would, and fetch a token as a program would."""
    host, line = here.host("platform"), await connect(here.port)
    status, head, page = await line.send(get(host, "/admin/sign-in"))
    found = _CSRF.search(page)
    if status != OK or found is None:
        raise AssertionError(page[:300])
    form = {"csrf_token": found[1].decode(), "username": username, "password": PASSWORD}
    browser = header(head, "set-cookie").split(";")[0]
    head, _ = await expect(line, post(host, "/admin/sign-in", form, cookie=browser), SEE_OTHER)
    pair = f"{quote(client_id)}:{quote(here.secrets[client_id])}".encode()
    _, body = await expect(
        line,
        post(
            host, "/oauth2/token",
            {"grant_type": "client_credentials", "scope": " ".join(PLATFORM_SCOPES)},
            authorization="Basic " + base64.b64encode(pair).decode(),
        ),
        OK,
    )  # fmt: skip
    token = json.loads(body)["access_token"]
    return Caller(line, host, header(head, "set-cookie").split(";")[0], f"Bearer {token}")


async def _times(
    line: Connection, make: Callable[[], bytes], turns: int, status: int
) -> list[float]:
    """How long each answer took, in milliseconds."""
    found = []
    for _ in range(turns):
        request = make()
        began = time.perf_counter()
        await expect(line, request, status)
        found.append((time.perf_counter() - began) * 1e3)
    return found


async def measure(who: Caller, size: int) -> dict[str, float]:
    """One round."""
    middle = slug_of(size // 2)
    pages = {
        "/platform/tenants, first page": who.page(_LIST),
        "/platform/tenants, from the middle": who.page(
            _LIST, at=Cursor(f"active:{middle}", _FIRST).write()
        ),
        "/platform/tenants, sorted by people": who.page(_LIST, sort="users"),
        "search that finds ten": who.page(_LIST, q=middle[:-1]),
        "search that finds all": who.page(_LIST, q="bench"),
        "GET /api/v1/tenants": who.call("/api/v1/tenants"),
        "API search that finds none": who.call("/api/v1/tenants", q="nowhere"),
    }
    found = {}
    for name, request in pages.items():
        await expect(who.line, request, OK)
        times = await _times(who.line, lambda request=request: request, _TURNS, OK)  # type: ignore[misc]  # mypy does not infer the default's type
        found[f"{name}, p50"] = percentile(times, 0.5)
        found[f"{name}, p95"] = percentile(times, 0.95)
    made = await _times(who.line, lambda: _new_tenant(who), _CREATIONS, CREATED)
    found["tenant creation over the API, p50"] = percentile(made, 0.5)
    found["tenant creation over the API, slowest"] = max(made)
    return found


def _new_tenant(who: Caller) -> bytes:
    slug = f"made-{secrets.token_hex(6)}"
    wanted = {"slug": slug, "display_name": slug}
    return post_json(who.host, "/api/v1/tenants", wanted, authorization=who.bearer)
