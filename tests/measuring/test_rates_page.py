"""The page of rates: ours beside the peer's, each held against its budget."""

import pytest

from bench import report
from bench.figure import Figure
from bench.load import Result
from bench.side_by_side import FLOWS, Compared

MACHINE = "Some day, some machine."


def result(rate, cpu_ms=1.0):
    return Result(turns=rate, seconds=1.0, p50=1.0, p95=2.0, p99=3.0, cpu_ms=cpu_ms, trips=2.0)


def row(page, name):
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_flow_is_held_against_the_peer_of_the_same_run():
    page = report.markdown(
        [
            Compared("JWKS, 10 tenants in turn", result(6000), result(3000), bare=result(8000)),
            Compared("userinfo", result(1500, cpu_ms=0.25), result(1000, cpu_ms=0.75)),
            Compared("refresh with rotation, id_token RS256", result(900), result(1000)),
            Compared("whole sign-in with password hash", result(15), result(60)),
        ],
        [Figure("pool hit", 1.5, "us", "a note")],
        MACHINE,
    )

    head = "flow | ours/s | peer/s | times the peer | budget | p50 | p95 | p99 ms"
    assert f"| {head} | CPU ms | CPU ms, peer | trips |" in page
    assert row(page, "userinfo") == [
        *("userinfo", "1,500", "1,000", "1.50 x", "2 x the peer: 0.75"),
        *("1.00", "2.00", "3.00", "0.250", "0.750", "2.0"),
    ]
    assert row(page, "refresh with rotation, id_token RS256")[3:5] == ["0.90 x", "the peer: 0.90"]
    assert row(page, "JWKS, 10 tenants in turn")[4] == "12,000/s: 0.50; 0.75 of bare"
    assert "8,000 a second" in page.replace("\n", " ")
    assert row(page, "whole sign-in with password hash")[4] == "30/s: 0.50"
    assert row(page, "pool hit") == ["pool hit", "1.50 us", "a note"]
    assert MACHINE in page
    assert "could not fetch" not in page


def test_without_the_peer_the_page_says_so_and_leaves_its_cells_empty():
    flows = [Compared("JWKS, 10 tenants in turn", result(6000), bare=result(6000))]
    page = report.markdown([*flows, Compared("userinfo", result(1500))], [], MACHINE)

    assert "npm could not fetch the peer for this run" in page
    assert row(page, "userinfo")[2:5] == ["", "", "2 x the peer"]
    assert row(page, "userinfo")[9] == ""
    assert row(page, "JWKS, 10 tenants in turn")[4] == "12,000/s: 0.50; 1.00 of bare"


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_has_a_budget(name):
    assert name in report.BUDGETS
    assert name in report.line(Compared(name, result(10), result(10)))
