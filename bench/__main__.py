"""
Measure, print, write docs/performance.md.

`python -m bench` measures rates and parts, `python -m bench scale` what goes with the number of
tenants; each replaces its own part of the page. `--quick` is for a look, and writes nothing.
"""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console

from bench import micro, report
from bench.figure import Figure
from bench.flows import Flows
from bench.installation import Installation, installed
from bench.load import Result, measure
from bench.scale import page, plot
from bench.scale import run as scale
from bench.scale.figures import SIZES, Series

_MANY = [f"bench{number:04}" for number in range(1000)]
_TENANTS = _MANY[:10]
_PAGE = Path("docs/performance.md")
_NOTES = Path("bench/notes.md")
_SCALE_NOTES = Path("bench/scale/notes.md")
_PICTURE = Path("docs/images/scale.svg")

out = Console(soft_wrap=True, highlight=False)


async def measure_all(*, quick: bool) -> tuple[list[Result], list[Figure]]:
    """Every flow, then every part; *quick* is for a look in between."""
    seconds = 2.0 if quick else 5.0
    async with installed(_TENANTS if quick else _MANY) as here:
        results = await _flows(here, seconds, many=not quick)
        figures = await micro.figures(here, _TENANTS[0], here.superuser_url)
    for figure in figures:
        out.print(f"{figure.name:48}{figure.value:12,.2f} {figure.unit:4} {figure.note}")
    return results, figures


async def _flows(here: Installation, seconds: float, *, many: bool) -> list[Result]:
    flows = Flows(here, _TENANTS[0])
    results = []
    discovery = "/.well-known/openid-configuration"
    thousand = [("discovery, 1,000 tenants in turn", flows.document(discovery, _MANY))]
    for name, make in (
        *(thousand if many else []),
        ("discovery, 10 tenants in turn", flows.document(discovery, _TENANTS)),
        ("JWKS, 10 tenants in turn", flows.document("/oauth2/jwks", _TENANTS)),
        ("client_credentials, ES256 JWT", flows.client_credentials),
        ("code + token + userinfo, id_token RS256", flows.code("rs256")),
        ("code + token + userinfo, id_token ES256", flows.code("es256")),
        ("refresh with rotation, id_token RS256", flows.refresh("rs256")),
        ("refresh with rotation, id_token ES256", flows.refresh("es256")),
        ("userinfo", flows.userinfo),
        ("introspection", flows.introspection),
        ("pushed authorization request", flows.par),
        ("client_credentials with a DPoP proof", flows.dpop_client_credentials),
        ("userinfo with a DPoP proof", flows.dpop_userinfo),
        ("whole sign-in with password hash", flows.sign_in),
    ):
        result = await measure(here, name, make, seconds=seconds)
        out.print(report.line(result))
        results.append(result)
    return results


async def _scale(*, quick: bool) -> None:
    """What goes with the number of tenants; the page holds what is known so far."""
    async for found in scale.measure_all(SIZES[:2] if quick else SIZES):
        if not quick:
            _write_scale(found)


def _write_scale(found: list[Series]) -> None:
    words = page.markdown(found, _machine(), f"images/{_PICTURE.name}")
    _PICTURE.write_text(plot.svg(found))
    text = words + "\n" + _SCALE_NOTES.read_text()
    _PAGE.write_text(report.with_scale(_PAGE.read_text(), text))
    out.print(f"written to {_PAGE}")


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%d %B %Y}, Python {platform.python_version()}, 2 cores "
        f"({platform.machine()})."
    )


def main() -> None:
    """Measure; a quick look writes nothing."""
    quick = "--quick" in sys.argv
    if "scale" in sys.argv:
        uvloop.run(_scale(quick=quick))
        return
    results, figures = uvloop.run(measure_all(quick=quick))
    if quick:
        return
    fresh = report.markdown(results, figures, _machine()) + "\n" + _NOTES.read_text()
    _PAGE.write_text(report.with_scale(fresh, report.scale_of(_PAGE.read_text())))
    out.print(f"written to {_PAGE}")


if __name__ == "__main__":
    main()
