"""
Names become addresses here, and nowhere later: what was checked is what is connected to.

The system's resolver blocks and cannot be interrupted, so it runs in threads of its own: a name
server that never answers costs its party's share of them and nobody else anything.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock

from insula.outbound.errors import Busy, Unreachable

#: Gives the addresses of a name for a port; raises OSError. It may block.
LookUp = Callable[[str, int], Sequence[str]]


def system_look_up(name: str, port: int) -> list[str]:
    """Ask as the machine is configured; the order is the machine's (RFC6724)."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Names:
    """Looks names up. *at_once* threads; *per_party* look-ups of one party, finished ones apart."""

    def __init__(self, look_up: LookUp, *, at_once: int, per_party: int) -> None:
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="outbound-names")
        self._per_party = per_party
        self._unfinished: Counter[str] = Counter()
        self._lock = Lock()

    async def addresses(
        self, name: str, port: int, party: str
    ) -> tuple[IPv4Address | IPv6Address, ...]:
        """All addresses of *name*. Raises `Unreachable` where there is none, `Busy`."""
        with self._lock:
            if self._unfinished[party] >= self._per_party:
                raise Busy("Try again later.", detail="too many names being looked up")
            self._unfinished[party] += 1
        try:
            looking = self._threads.submit(self._look_up, name, port)
        except RuntimeError:  # closed meanwhile
            self._finished(party)
            raise Busy("Try again later.", detail="shutting down") from None
        # Counted until the thread is free again, which may be long after the caller gave up.
        looking.add_done_callback(lambda _: self._finished(party))
        return await self._read(looking)

    async def _read(self, looking: Future[Sequence[str]]) -> tuple[IPv4Address | IPv6Address, ...]:
        try:
            found = await asyncio.wrap_future(looking)
            addresses = tuple(dict.fromkeys(map(ip_address, found)))
        except (OSError, ValueError) as error:
            raise Unreachable("The host has no address.", detail=f"name: {error}") from error
        if not addresses:
            raise Unreachable("The host has no address.", detail="name: no address")
        return addresses

    def _finished(self, party: str) -> None:
        with self._lock:
            self._unfinished[party] -= 1
            if not self._unfinished[party]:
                del self._unfinished[party]

    def close(self) -> None:
        """Begin no look-up any more; one that runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
