"""The page that the figures are written to."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figure import Figure
from bench.load import Result


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What a flow must reach: *factor* times *peer*.

    The peer is a pool of node-oidc-provider 9.13 instances over PostgreSQL, measured on another
    2-core machine under the same conditions.
    """

    peer: float
    factor: float
    words: str


BUDGETS: dict[str, Budget] = {
    "discovery, 10 tenants in turn": Budget(12000, 1, "12,000/s"),
    "discovery, 1,000 tenants in turn": Budget(12000, 1, "12,000/s"),
    "JWKS, 10 tenants in turn": Budget(12000, 1, "12,000/s"),
    "client_credentials, ES256 JWT": Budget(2250, 2, "twice the peer's 2,250/s"),
    "code + token + userinfo, id_token RS256": Budget(268, 1, "the peer's 268/s"),
    "code + token + userinfo, id_token ES256": Budget(324, 2, "twice the peer's 324/s"),
    "refresh with rotation, id_token RS256": Budget(698, 1, "the peer's 698/s"),
    "refresh with rotation, id_token ES256": Budget(1266, 2, "twice the peer's 1,266/s"),
    "userinfo": Budget(1949, 2, "twice the peer's 1,949/s"),
    "introspection": Budget(1434, 2, "twice the peer's 1,434/s"),
    "whole sign-in with password hash": Budget(30, 1, "30/s (security.md 5.4)"),
}


def line(result: Result) -> str:
    """One flow for the terminal."""
    budget = BUDGETS.get(result.name)
    share = f"{result.per_second / (budget.peer * budget.factor):.2f}x" if budget else ""
    return (
        f"{result.name:42}{result.per_second:9,.0f}/s {share:>7}  p50 {result.p50:7.2f}  "
        f"p95 {result.p95:7.2f}  p99 {result.p99:7.2f} ms   cpu {result.cpu_ms:6.3f} ms   "
        f"trips {result.trips:4.1f}"
    )


def markdown(results: Sequence[Result], figures: Sequence[Figure], machine: str) -> str:
    """docs/performance.md, all but the words that people write (they stand in bench/notes.md)."""
    rows = []
    for result in results:
        budget = BUDGETS.get(result.name)
        share, words = "", ""
        if budget is not None:
            share = f"{result.per_second / (budget.peer * budget.factor):.2f}"
            words = budget.words
        rows.append(
            f"| {result.name} | {result.per_second:,.0f} | {share} | {words} | {result.p50:.2f} | "
            f"{result.p95:.2f} | {result.p99:.2f} | {result.cpu_ms:.3f} | {result.trips:.1f} |"
        )
    parts = [f"| {f.name} | {f.value:,.2f} {f.unit} | {f.note} |" for f in figures]
    return "\n".join(
        [
            "# Performance",
            "",
            "Written by `make bench`. " + machine,
            "",
            "The server has one core; PostgreSQL 18, Valkey and the load driver share the other;",
            "16 connections; fsync on. *Ratio* is what was reached against the budget: 1 and more",
            "meets it. *Trips* are database round trips for each turn of the flow; the code flow",
            "is three requests.",
            "",
            "| flow | per second | ratio | budget | p50 | p95 | p99 ms | CPU ms | trips |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "| part | measured | |",
            "|---|---|---|",
            *parts,
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
