"""The page that the figures are written to."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figure import Figure
from bench.side_by_side import Compared


@dataclass(frozen=True, slots=True)
class Budget:
    """What a flow must reach: a rate, or so many times the peer of the same run."""

    per_second: float = 0.0
    times: float = 0.0

    def share(self, found: Compared) -> float | None:
        """What was reached of it, 1 and more meets it; None without a peer to be held against."""
        if self.per_second:
            return found.ours.per_second / self.per_second
        return None if found.times is None else found.times / self.times

    def words(self, found: Compared) -> str:
        if self.per_second:
            said = f"{self.per_second:,.0f}/s"
        else:
            said = "the peer" if self.times == 1 else f"{self.times:.0f} x the peer"
        share = self.share(found)
        said += f": {share:.2f}" if share is not None else ""
        return said + (f"; {found.of_bare:.2f} of bare" if found.of_bare is not None else "")


_DOCUMENT = Budget(per_second=12_000)
_TWICE, _AS_FAST = Budget(times=2), Budget(times=1)
BUDGETS: dict[str, Budget] = {
    "discovery, 10 tenants in turn": _DOCUMENT,
    "discovery, 1,000 tenants in turn": _DOCUMENT,
    "JWKS, 10 tenants in turn": _DOCUMENT,
    "client_credentials, ES256 JWT": _TWICE,
    "code + token + userinfo, id_token RS256": _AS_FAST,
    "code + token + userinfo, id_token ES256": _TWICE,
    "refresh with rotation, id_token RS256": _AS_FAST,
    "refresh with rotation, id_token ES256": _TWICE,
    "userinfo": _TWICE,
    "introspection": _TWICE,
    "pushed authorization request": _TWICE,
    "client_credentials with a DPoP proof": _TWICE,
    "userinfo with a DPoP proof": _TWICE,
    "whole sign-in with password hash": Budget(per_second=30),  # security.md 5.4
}


def line(found: Compared) -> str:
    """One flow for the terminal."""
    ours, peer = found.ours, found.peer
    said = (
        f"{found.name:40}{ours.per_second:8,.0f}/s  p50 {ours.p50:7.2f}  p95 {ours.p95:7.2f}  "
        f"p99 {ours.p99:7.2f} ms  cpu {ours.cpu_ms:6.3f} ms  trips {ours.trips:4.1f}"
    )
    if peer is not None:
        said += (
            f"  | peer {peer.per_second:8,.0f}/s  p50 {peer.p50:7.2f} ms  cpu {peer.cpu_ms:6.3f} ms"
            f"  trips {peer.trips:4.1f}"
        )
    if found.bare is not None:
        said += f"  | bare {found.bare.per_second:8,.0f}/s"
    return f"{said}  | {_times(found)} | {BUDGETS[found.name].words(found)}"


def _times(found: Compared) -> str:
    return "" if found.times is None else f"{found.times:.2f} x"


def _row(found: Compared) -> str:
    ours, peer = found.ours, found.peer
    cells = (
        found.name,
        f"{ours.per_second:,.0f}",
        f"{peer.per_second:,.0f}" if peer else "",
        _times(found),
        BUDGETS[found.name].words(found),
        f"{ours.p50:.2f}",
        f"{ours.p95:.2f}",
        f"{ours.p99:.2f}",
        f"{ours.cpu_ms:.3f}",
        f"{peer.cpu_ms:.3f}" if peer else "",
        f"{ours.trips:.1f}",
    )
    return _row_of(cells)


def _row_of(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_COLUMNS = (
    *("flow", "ours/s", "peer/s", "times the peer", "budget", "p50", "p95", "p99 ms"),
    *("CPU ms", "CPU ms, peer", "trips"),
)
_TERMS = """
Each server has one core to itself while it is measured; PostgreSQL 18, Valkey and the load driver
share the other; 16 connections; fsync on. The peer is a pool of node-oidc-provider instances over
the same PostgreSQL (`bench/peer`), which gets the same requests; of each flow the servers have four
parts of their time in turns, so that all meet the same weather. Behind a budget stands what was
reached of it: 1 and more meets it. Latencies and *trips* to the database are ours, for each turn of
the flow; the code flow is three requests. The peer's sign-in hashes no password.
"""
_NO_PEER = """
npm could not fetch the peer for this run: what is a matter of it is left empty.
"""
_OF_BARE = """
*Bare* is an ASGI application of a few lines under the same HTTP server that answers as many bytes:
{rates} a second in this run. The budget of 12,000 is
0.58 of the 20,750 that it answered where the budget was set.
"""


def markdown(found: Sequence[Compared], figures: Sequence[Figure], machine: str) -> str:
    """docs/performance.md, all but the words that people write (they stand in bench/notes.md)."""
    bare = [each.bare.per_second for each in found if each.bare is not None]
    rates = f"{min(bare):,.0f} to {max(bare):,.0f}"
    has_peer = any(each.peer for each in found)
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`. " + machine,
            _TERMS if has_peer else _TERMS + _NO_PEER,
            _row_of(_COLUMNS),
            "|" + "---|" * len(_COLUMNS),
            *map(_row, found),
            _OF_BARE.format(rates=rates),
            "| part | measured | |",
            "|---|---|---|",
            *(f"| {each.name} | {each.value:,.2f} {each.unit} | {each.note} |" for each in figures),
            "",
        ]
    )


_BEGIN, _END = "<!-- scale -->", "<!-- end of scale -->"


def scale_of(page: str) -> str:
    """The part about the number of tenants, as a page has it; empty if it has none."""
    _, begin, rest = page.partition(_BEGIN)
    text, _, _ = rest.partition(_END)
    return text.strip("\n") if begin else ""


def with_scale(page: str, text: str) -> str:
    """*page* with this part about the number of tenants; everything else as it was."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    if not text:
        return before.rstrip("\n") + "\n" + after.lstrip("\n")
    part = f"{_BEGIN}\n\n{text.strip(chr(10))}\n\n{_END}\n"
    return f"{before.rstrip(chr(10))}\n\n{part}{after.lstrip(chr(10))}"
