"""The door: every request that Insula makes of a host which somebody else has named."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlencode

import httpcore2
import structlog

from insula.kernel.metrics import OUTBOUND, OUTBOUND_SECONDS
from insula.outbound import urls, wire
from insula.outbound.addresses import is_reachable
from insula.outbound.errors import (
    AddressRefused,
    BadAnswer,
    OutboundError,
    TooSlow,
    Unreachable,
)
from insula.outbound.hosts import Hosts
from insula.outbound.names import LookUp, Names, system_look_up
from insula.outbound.settings import OutboundRules
from insula.outbound.urls import Target

_log = structlog.get_logger(__name__)

_HTTPS_PORT: Final = 443
_FIRST_FREE_PORT: Final = 1024  # below it live protocols that were never meant to be asked by us
_FORM: Final = "application/x-www-form-urlencoded"
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+\Z")
_MAX_AGE = re.compile(r'\s*max-age\s*=\s*"?([0-9]{1,10})"?\s*\Z', re.IGNORECASE)
_UNCACHED = frozenset({"no-store", "no-cache"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    A document. *content_type* is the media type alone, in lower case.

    *max_age* is for how many seconds its host lets it be kept, None where it does not say.
    """

    status: int
    content_type: str
    max_age: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """What a host answered to a message: any status but a redirect's."""

    status: int
    content_type: str
    body: bytes


class Door:
    """
    The one way out; one for each process.

    *look_up*, *network* and *clock* (seconds that only grow) are the machine's own but in tests.

    Both requests raise an `OutboundError`: `AddressRefused` for a URL that may not be asked (not
    https, an address that is not public, a port of other protocols), `Unreachable` and `TooSlow`
    for a host that does not answer, `TooLarge` and `BadAnswer` for what it answers, `Busy` where
    this process has too many requests under way. Their *limit* is the size of the answer's body in
    bytes, *purpose* a fixed word for metrics and logs, *party* on whose behalf the request is made,
    mostly a tenant's id: each party has its own share of places, and its own breakers.
    """

    def __init__(
        self,
        rules: OutboundRules,
        *,
        look_up: LookUp = system_look_up,
        network: httpcore2.AsyncNetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._names = Names(
            look_up, at_once=rules.lookups_at_once, per_party=rules.lookups_per_party
        )
        self._network = network or httpcore2.AnyIOBackend()
        self._hosts = Hosts(rules, clock)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return wire.trusting(self._rules)

    async def open(self) -> None:
        """Load what is trusted. Raises OSError where the file of further authorities is no good."""
        _ = self._tls

    async def close(self) -> None:
        """Take no more requests."""
        self._names.close()

    async def fetch(
        self, url: str, *, limit: int, accept: tuple[str, ...], purpose: str, party: str = ""
    ) -> Fetched:
        """
        GET the document at *url*: an answer 200 of one of the media types *accept*.

        A host that answers 429 or 5xx counts as one that is away: `Unreachable`.
        """

        def judge(head: wire.Head) -> None:
            _refuse_redirect_and_coding(head)
            if head.status >= HTTPStatus.INTERNAL_SERVER_ERROR or (
                head.status == HTTPStatus.TOO_MANY_REQUESTS
            ):
                raise Unreachable("The host is out of order.", detail=f"status {head.status}")
            if head.status != HTTPStatus.OK:
                raise BadAnswer(f"The host answers {head.status}.", detail=f"status {head.status}")
            if accept and _media_type(head) not in accept:
                raise BadAnswer(
                    f"The document is none of {', '.join(accept)}.", detail="content type"
                )

        headers = [("Accept", ", ".join(accept) or "*/*")]
        head, body = await self._ask("GET", url, headers, b"", judge, limit, purpose, party)
        return Fetched(head.status, _media_type(head), _max_age(head), body)

    async def post(  # noqa: PLR0913  (each by its name)
        self,
        url: str,
        *,
        limit: int,
        purpose: str,
        form: Mapping[str, str] | None = None,
        body: bytes = b"",
        content_type: str = "",
        accept: tuple[str, ...] = (),
        party: str = "",
    ) -> Posted:
        """
        POST *form*, or *body* as *content_type*, to *url*.

        With the limit 0 the answer's body is not read, for callers whom the status satisfies.
        Raises ValueError for a content type that is none.
        """
        if form is not None:
            body, content_type = urlencode(form).encode("ascii"), _FORM
        if not _MEDIA_TYPE.match(content_type):
            raise ValueError("no media type")
        headers = [
            ("Accept", ", ".join(accept) or "*/*"),
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
        ]
        head, answer = await self._ask(
            "POST", url, headers, body, _refuse_redirect_and_coding, limit, purpose, party
        )
        return Posted(head.status, _media_type(head), answer)

    async def _ask(  # noqa: PLR0913  (private; two callers)
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        judge: Callable[[wire.Head], None],
        limit: int,
        purpose: str,
        party: str,
    ) -> tuple[wire.Head, bytes]:
        host = ""
        outcome = "cancelled"
        try:
            with OUTBOUND_SECONDS.labels(purpose).time():
                target = urls.parse(url)
                host = target.authority
                self._refuse_scheme_and_port(target)
                answer = await self._in_turn(method, target, headers, body, judge, limit, party)
        except OutboundError as error:
            outcome = error.outcome
            _log.warning(
                "outbound.refused", host=host, purpose=purpose, outcome=outcome, reason=error.detail
            )
            raise
        else:
            outcome = "ok"
            return answer
        finally:
            OUTBOUND.labels(purpose, outcome).inc()

    async def _in_turn(  # noqa: PLR0913  (as above)
        self,
        method: str,
        target: Target,
        headers: list[tuple[str, str]],
        body: bytes,
        judge: Callable[[wire.Head], None],
        limit: int,
        party: str,
    ) -> tuple[wire.Head, bytes]:
        deadline = asyncio.get_running_loop().time() + self._rules.seconds
        common = [
            ("Host", target.host_header),
            ("User-Agent", "Insula"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        async with self._hosts.turn(party, target.authority, deadline):
            # Inside the turn, so that the host's breaker learns of it.
            try:
                async with asyncio.timeout_at(deadline):
                    question = wire.Question(
                        method,
                        target,
                        await self._addresses(target, party),
                        [*common, *headers],
                        body,
                        judge,
                        min(limit, self._rules.most_bytes),
                    )
                    return await wire.ask(question, self._rules, self._tls, self._network)
            except TimeoutError as error:
                raise TooSlow(
                    "The host does not answer in time.", detail=f"over {self._rules.seconds:g} s"
                ) from error

    def _is_allowed(self, target: Target) -> bool:
        return target.authority in self._rules.allow

    def _refuse_scheme_and_port(self, target: Target) -> None:
        if self._is_allowed(target):
            return
        if target.scheme != "https":
            raise AddressRefused("The URL is not https.", field="url", detail="scheme")
        if target.port != _HTTPS_PORT and target.port < _FIRST_FREE_PORT:
            raise AddressRefused("The port cannot be used.", field="url", detail="port")

    async def _addresses(self, target: Target, party: str) -> tuple[IPv4Address | IPv6Address, ...]:
        """The addresses that will be connected to. One bad address condemns the name."""
        allowed = self._is_allowed(target)
        found: tuple[IPv4Address | IPv6Address, ...]
        if target.literal is not None:
            found = (target.literal,)
        else:
            # The final dot: the machine's own search domains have no say in a public name.
            name = target.host if allowed else f"{target.host}."
            found = await self._names.addresses(name, target.port, party)
        if not allowed and not all(map(is_reachable, found)):
            raise AddressRefused(
                "The host is not on the public Internet.", field="url", detail="address"
            )
        return found[: self._rules.most_addresses]


def _refuse_redirect_and_coding(head: wire.Head) -> None:
    if HTTPStatus.MULTIPLE_CHOICES <= head.status < HTTPStatus.BAD_REQUEST:
        raise BadAnswer("The host redirects.", detail=f"redirect {head.status}")
    if any(coding.strip().lower() != "identity" for coding in head.values("content-encoding")):
        raise BadAnswer("The answer is compressed.", detail="content coding")


def _media_type(head: wire.Head) -> str:
    values = head.values("content-type")
    return values[0].partition(";")[0].strip().lower() if len(values) == 1 else ""


def _max_age(head: wire.Head) -> int | None:
    directives = ",".join(head.values("cache-control")).split(",")
    if any(directive.strip().lower() in _UNCACHED for directive in directives):
        return 0
    ages = [int(found[1]) for found in map(_MAX_AGE.match, directives) if found]
    return min(ages, default=None)
