"""
Colours as the design tokens need them.

sRGB in six hexadecimal digits, OKLCH to derive from, and the contrast ratio of
WCAG 2.  The matrices are Björn Ottosson's, as CSS Color 4 uses them.
"""

import math
import re
from typing import NamedTuple

_LINEAR_BELOW = 0.0031308  # sRGB is a straight line near black, IEC 61966-2-1
_HEX = re.compile(r"#[0-9a-f]{6}\Z")
_IN_GAMUT = 1e-4  # rounding of the matrices, far below half a step of eight bits


class Oklch(NamedTuple):
    """Perceived lightness (0 to 1), chroma (0 to about 0.4) and hue in degrees."""

    lightness: float
    chroma: float
    hue: float


def is_hex(colour: str) -> bool:
    """Whether it is # and six lower-case hexadecimal digits, as all that is written here."""
    return _HEX.match(colour) is not None


def contrast(one: str, other: str) -> float:
    """Give the ratio of WCAG 2: 1 for the same colour, 21 for black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def to_oklch(colour: str) -> Oklch:
    red, green, blue = (_to_linear(channel) for channel in _channels(colour))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def to_hex(colour: Oklch) -> str:
    """
    Give the nearest colour of the same lightness and hue that a screen can show.

    Chroma is what gives way: clipping the channels would move the lightness, and
    with it the contrast that was asked for.
    """
    lightness = min(max(colour.lightness, 0.0), 1.0)
    low, high = 0.0, colour.chroma
    if not _shows(_linear(Oklch(lightness, high, colour.hue))):
        for _ in range(24):
            middle = (low + high) / 2
            if _shows(_linear(Oklch(lightness, middle, colour.hue))):
                low = middle
            else:
                high = middle
        high = low
    linear = _linear(Oklch(lightness, high, colour.hue))
    return "#" + "".join(f"{round(_from_linear(channel) * 255):02x}" for channel in linear)


def _luminance(colour: str) -> float:
    red, green, blue = (_to_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _to_linear(channel: float) -> float:
    return (
        channel / 12.92 if channel <= 12.92 * _LINEAR_BELOW else ((channel + 0.055) / 1.055) ** 2.4
    )


def _from_linear(channel: float) -> float:
    channel = min(max(channel, 0.0), 1.0)
    return channel * 12.92 if channel <= _LINEAR_BELOW else 1.055 * channel ** (1 / 2.4) - 0.055


def _shows(linear: tuple[float, float, float]) -> bool:
    return all(-_IN_GAMUT <= channel <= 1 + _IN_GAMUT for channel in linear)


def _linear(colour: Oklch) -> tuple[float, float, float]:
    a = colour.chroma * math.cos(math.radians(colour.hue))
    b = colour.chroma * math.sin(math.radians(colour.hue))
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
