"""Four answers, plain ASGI: JSON, and Prometheus text for metrics."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry, generate_latest

from insula.kernel import clock
from insula.kernel.errors import Unavailable
from insula.ops_gateway import arrival
from insula.tenancy.hosts import Networks

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Asks one thing that readiness depends on; raises `Unavailable` with the reason in *detail*.
Check = Callable[[], Awaitable[None]]
#: Tells of one thing that readiness does not depend on; it raises nothing.
Report = Callable[[], Awaitable[str]]

#: Seconds for all that one answer asks: a probe gives up after five, and should hear the reason.
_PATIENCE: Final = 3.0
#: What nobody waits for any more, until it has ended.
_left: set["asyncio.Task[Any]"] = set()

T = TypeVar("T")

_JSON = b"application/json"
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class OpsGateway:
    """
    Answers probes.

    *checks* decide readiness; *reports* are shown with it and never the reason (Valkey may
    vanish). One that begins with "degraded" makes the whole degraded, which is still ready: a
    leak between tenants is the same in every process, so to take them all away would turn an
    alarm into an outage and heal nothing. *metrics_from* are the networks that may read metrics.
    *proxies*, *header_peers* and *key* are what `arrival` tells by, and to whom; without a key it
    tells nobody. *life* is what a process lives by that has more to do than to answer: it must not
    hang on what a restart does not mend.
    """

    checks: Mapping[str, Check]
    reports: Mapping[str, Report]
    registry: CollectorRegistry
    metrics_from: Networks
    proxies: Networks
    header_peers: Networks
    key: bytes | None
    life: Mapping[str, Check] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (a body is never read)
        path, method = scope["path"], scope["method"]
        answer = self._answers().get(path)
        if answer is None:
            await _send(send, method, 404, {"error": "not_found"})
        elif method != "GET":
            await _send(send, method, 405, {"error": "method_not_allowed"}, [(b"allow", b"GET")])
        else:
            await answer(scope, send)

    def _answers(self) -> Mapping[str, Callable[[Scope, Send], Awaitable[None]]]:
        return {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
            **({"/live": self._live} if self.life else {}),
            **({arrival.PATH: self._arrival} if self.key is not None else {}),
        }

    def addresses(self) -> list[tuple[str, str]]:
        """Method and path of what it answers."""
        return [("GET", path) for path in self._answers()]

    async def _health(self, scope: Scope, send: Send) -> None:
        await _send(send, scope["method"], 200, {"status": "ok"})

    async def _live(self, scope: Scope, send: Send) -> None:
        found = await _asked(self.life, _deadline())
        lives = all(state == "ok" for state in found.values())
        body = {"status": "ok" if lives else "stuck", "checks": found}
        await _send(send, scope["method"], 200 if lives else 503, body)

    async def _ready(self, scope: Scope, send: Send) -> None:
        deadline = _deadline()
        found, told = await asyncio.gather(
            _asked(self.checks, deadline), _told(self.reports, deadline)
        )
        ready = all(state == "ok" for state in found.values())
        degraded = any(state.startswith("degraded") for state in told.values())
        status = ("degraded" if degraded else "ready") if ready else "not ready"
        body = {"status": status, "checks": found | told}
        more = [] if ready else [(b"retry-after", b"2")]
        await _send(send, scope["method"], 200 if ready else 503, body, more)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        if scope.get("insula.client_ip", "") not in self.metrics_from:
            await _send(send, scope["method"], 404, {"error": "not_found"})
            return
        await _told(
            self.reports, _deadline()
        )  # what is counted elsewhere is read before it is told
        await _answer(send, scope["method"], 200, generate_latest(self.registry), _TEXT, [])

    async def _arrival(self, scope: Scope, send: Send) -> None:
        proofs = [value for name, value in scope["headers"] if name == arrival.HEADER.encode()]
        proof = proofs[0].decode("latin-1") if len(proofs) == 1 else ""
        if self.key is None or not arrival.is_proof(self.key, proof, clock.now()):
            await _send(send, scope["method"], 404, {"error": "not_found"})
            return
        said = arrival.describe(scope, self.proxies, self.header_peers)
        await _send(send, scope["method"], 200, said)


def _deadline() -> float:
    return asyncio.get_running_loop().time() + _PATIENCE


async def _in_time(ask: Callable[[], Awaitable[T]], deadline: float) -> T:
    """
    What *ask* says until then. Raises `TimeoutError` at that moment.

    What a database that hangs has been asked takes seconds to be called off; its end is not
    waited for.
    """
    task = asyncio.ensure_future(ask())
    await asyncio.wait({task}, timeout=deadline - asyncio.get_running_loop().time())
    if task.done():
        return task.result()
    task.cancel()
    _left.add(task)
    task.add_done_callback(_forget)
    raise TimeoutError


def _forget(task: "asyncio.Task[Any]") -> None:
    _left.discard(task)
    if not task.cancelled():
        task.exception()  # taken note of: what it would have said is of no use any more


async def _asked(checks: Mapping[str, Check], deadline: float) -> dict[str, str]:
    """What each check says: "ok", or why not; where one used up the time, the rest is not asked."""
    found = dict.fromkeys(checks, "not asked")
    for name, check in checks.items():
        if asyncio.get_running_loop().time() >= deadline:
            break
        try:
            await _in_time(check, deadline)
        except Unavailable as reason:
            found[name] = reason.description
        except TimeoutError:
            found[name] = f"no answer within {_PATIENCE:.0f} s"
        else:
            found[name] = "ok"
    return found


async def _told(reports: Mapping[str, Report], deadline: float) -> dict[str, str]:
    """What each report tells."""
    found: dict[str, str] = {}
    for name, report in reports.items():
        try:
            found[name] = await _in_time(report, deadline)
        except TimeoutError:
            found[name] = f"not known; no answer within {_PATIENCE:.0f} s"
    return found


async def _send(
    send: Send,
    method: str,
    status: int,
    body: Mapping[str, Any],
    more: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    await _answer(send, method, status, json.dumps(body).encode(), _JSON, more)


async def _answer(  # noqa: PLR0913  (the parts of an answer)
    send: Send,
    method: str,
    status: int,
    body: bytes,
    content_type: bytes,
    more: Sequence[tuple[bytes, bytes]],
) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
