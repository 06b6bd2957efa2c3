"""The figures as one picture: a small chart for each, all over the same axis of tenants."""

import math
from collections.abc import Sequence
from html import escape

from bench.scale.figures import Series

_COLUMNS = 3
_WIDTH, _HEIGHT, _GAP = 300, 150, 16
_LEFT, _RIGHT, _TOP, _BOTTOM = 14, 50, 44, 24
#: A budget that lies further above the figures is told in words, or the figures would be flat.
_IN_SIGHT = 4.0

#: Grey and one blue that can be read on white and on black; who prefers dark gets lighter ones.
_STYLE = """
  text { font: 11px system-ui, sans-serif; fill: #57606a }
  .name { font-weight: 600; fill: #24292f }
  .value { fill: #0550ae }
  .panel { fill: #f6f8fa; stroke: #d0d7de }
  .line { fill: none; stroke: #0969da; stroke-width: 2 }
  .dot { fill: #0969da }
  .budget { stroke: #bc4c00; stroke-dasharray: 4 3 }
  .said { fill: #953800 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .name { fill: #f0f6fc }
    .value { fill: #79c0ff }
    .panel { fill: #151b23; stroke: #3d444d }
    .line { stroke: #4493f8 }
    .dot { fill: #4493f8 }
    .budget { stroke: #f0883e }
    .said { fill: #f0883e }
  }
"""


def svg(found: Sequence[Series]) -> str:
    """All figures against the number of tenants."""
    rows = math.ceil(len(found) / _COLUMNS)
    width = _COLUMNS * (_WIDTH + _GAP) + _GAP
    height = rows * (_HEIGHT + _GAP) + _GAP
    panels = []
    for place, series in enumerate(found):
        x = _GAP + (place % _COLUMNS) * (_WIDTH + _GAP)
        y = _GAP + (place // _COLUMNS) * (_HEIGHT + _GAP)
        panels.append(f'<g transform="translate({x} {y})">{_panel(series)}</g>')
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>Each figure against the number of tenants</title>",
            f"<style>{_STYLE}</style>",
            *panels,
            "</svg>",
            "",
        ]
    )


def _panel(series: Series) -> str:
    values = sorted(series.values.items())
    greatest = max(value for _, value in values)
    shown = series.most if series.most and series.most <= greatest * _IN_SIGHT else None
    top = max(greatest, shown or 0) * 1.1 or 1
    points = [(_x(size, series), _y(value, top), size, value) for size, value in values]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
    parts = [
        f'<rect class="panel" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>',
        f'<text class="name" x="{_LEFT}" y="20">{escape(_plain(series.name))}</text>',
        f'<text x="{_LEFT}" y="34">{escape(_words(series))}</text>',
    ]
    if shown is not None:
        y = _y(shown, top)
        parts.append(
            f'<line class="budget" x1="{_LEFT}" x2="{_WIDTH - _RIGHT + 8}" y1="{y:.1f}"'
            f' y2="{y:.1f}"/>'
            f'<text class="said" x="{_WIDTH - 4}" y="{y + 4:.1f}" text-anchor="end">budget</text>'
        )
    parts.append(f'<polyline class="line" points="{line}"/>')
    for x, y, size, value in points:
        below = y + 15 if y < _TOP + 14 else y - 7
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
            f'<text class="value" x="{x:.1f}" y="{below:.1f}" text-anchor="middle">'
            f"{number(value)}</text>"
            f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{size:,}</text>'
        )
    return "".join(parts)


def _plain(name: str) -> str:
    return name.replace("`", "")


def _words(series: Series) -> str:
    if series.most is None:
        return series.unit
    return f"{series.unit}, budget {series.most:,.0f}"


def _x(size: int, series: Series) -> float:
    low, high = math.log10(min(series.values)), math.log10(max(series.values))
    share = (math.log10(size) - low) / (high - low) if high > low else 0.5
    return _LEFT + 14 + share * (_WIDTH - _LEFT - _RIGHT - 14)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def number(value: float) -> str:
    """Three figures, whatever the size."""
    if value >= 100:  # noqa: PLR2004  (three figures)
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004  (three figures)
