"""
Measure, print, write docs/performance.md.

`python -m bench` measures rates and parts, `python -m bench scale` what goes with the number of
tenants; each replaces its own part of the page. `--quick` is for a look, and writes nothing.
"""

import contextlib
import platform
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from rich.console import Console

from bench import bare, micro, report, side_by_side
from bench.figure import Figure
from bench.installation import Installation, installed
from bench.peer import packages, program
from bench.scale import page, plot
from bench.scale import run as scale
from bench.scale.figures import SIZES, Series
from bench.side_by_side import Compared, Servers

_MANY = [f"bench{number:04}" for number in range(1000)]
_TENANTS = _MANY[:10]
_PAGE = Path("docs/performance.md")
_NOTES = Path("bench/notes.md")
_SCALE_NOTES = Path("bench/scale/notes.md")
_PICTURE = Path("docs/images/scale.svg")

out = Console(soft_wrap=True, highlight=False)


async def measure_all(*, quick: bool) -> tuple[list[Compared], list[Figure]]:
    """Every flow, then every part; *quick* is for a look in between."""
    slugs, seconds = (_TENANTS, 2.0) if quick else (_MANY, 5.0)
    compared = []
    async with installed(slugs) as here:
        async with _servers(here, slugs) as servers:
            async for found in side_by_side.measure_all(servers, slugs, seconds):
                out.print(report.line(found))
                compared.append(found)
        figures = await micro.figures(here, _TENANTS[0], here.superuser_url)
    for figure in figures:
        out.print(f"{figure.name:48}{figure.value:12,.2f} {figure.unit:4} {figure.note}")
    return compared, figures


@contextlib.asynccontextmanager
async def _servers(here: Installation, slugs: list[str]) -> AsyncIterator[Servers]:
    """Who is held against *here*, as long as it lasts."""
    folder = packages.fetched()
    async with contextlib.AsyncExitStack() as open_now:
        peer = None
        if folder is None:
            out.print("npm cannot fetch the peer: measured without it")
        else:
            running = program.running(folder, here.superuser_url, slugs)
            peer = await open_now.enter_async_context(running)
        yield Servers(here, peer, await open_now.enter_async_context(bare.running()))


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
    compared, figures = uvloop.run(measure_all(quick=quick))
    if quick:
        return
    fresh = report.markdown(compared, figures, _machine()) + "\n" + _NOTES.read_text()
    _PAGE.write_text(report.with_scale(fresh, report.scale_of(_PAGE.read_text())))
    out.print(f"written to {_PAGE}")


if __name__ == "__main__":
    main()
