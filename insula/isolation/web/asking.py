"""Requests of an ASGI application in this process, without a socket."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from insula.kernel.errors import Unavailable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_AWAY: Final = 503
_FROM: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a host; a *form* makes it a POST."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The address that it seems to come from.
    caller: str = _FROM


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Mapping[str, Any]:
        """The object that it says; empty for anything else."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def onward(self) -> Mapping[str, str]:
        """The parameters of the address that it redirects to."""
        query = urlsplit(self.headers.get("location", "")).query
        return {name: values[0] for name, values in parse_qs(query).items()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    both = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"authorization": f"Basic {both}"}


async def ask(app: App, host: str, request: Request) -> Answer:
    """Ask *app* as *host*. Raises `Unavailable` when it says that it is."""
    body = b"" if request.form is None else urlencode(request.form).encode()
    headers = {"host": host, **request.headers}
    if request.form is not None:
        headers |= {
            "content-type": "application/x-www-form-urlencoded",
            "content-length": str(len(body)),
        }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET" if request.form is None else "POST",
        "scheme": "https",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": urlencode(request.query).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (request.caller, 1),
        "server": (host, 443),
        "state": {},
    }
    exchange = _Exchange(body)
    await app(scope, exchange.receive, exchange.send)
    answer = exchange.answer()
    if answer.status == _AWAY:
        raise Unavailable("the canaries could not be asked", detail=f"{request.path} says 503")
    return answer


class _Exchange:
    """Both ends of one request."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._start: Message = {"status": 0, "headers": []}
        self._pieces: list[bytes] = []

    async def receive(self) -> Message:
        if self._body is None:
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._pieces.append(message.get("body", b""))

    def answer(self) -> Answer:
        headers = {name.decode().lower(): value.decode() for name, value in self._start["headers"]}
        return Answer(self._start["status"], headers, b"".join(self._pieces))
