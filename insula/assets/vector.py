"""
SVG: written anew from the elements and attributes that a drawing needs, and nothing else.

What is not on a list is left out: scripts, events, links, foreign content, animations, images, and
every reference that does not lead to a part of the same drawing. `use` is not on it either, since
a few of them inside each other draw a million shapes.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from insula.assets.errors import InvalidImage
from insula.assets.models import LONGEST_EDGE, Drawn

_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_MOST_ELEMENTS: Final = 5000
_DEEPEST: Final = 40

_SHAPES: Final = frozenset(
    {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text"}
)
_WITH_TEXT: Final = frozenset({"title", "desc", "text", "tspan", "style"})
_ELEMENTS: Final = _SHAPES | {
    "g", "defs", "title", "desc", "tspan", "linearGradient", "radialGradient", "stop", "clipPath",
    "mask", "style",
}  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    # where and how large
    "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "fr", "dx", "dy",
    "d", "points", "width", "height", "viewBox", "preserveAspectRatio", "transform", "pathLength",
    "gradientUnits", "gradientTransform", "spreadMethod", "offset", "clipPathUnits", "maskUnits",
    "maskContentUnits", "rotate", "textLength", "lengthAdjust",
    # how it is painted
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity",
    "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray",
    "stroke-dashoffset", "opacity", "color", "stop-color", "stop-opacity", "clip-path",
    "clip-rule", "mask", "display", "visibility", "overflow", "vector-effect", "paint-order",
    "shape-rendering", "text-rendering", "color-interpolation",
    "font-family", "font-size", "font-style", "font-weight", "font-stretch", "letter-spacing",
    "word-spacing", "text-anchor", "text-decoration", "dominant-baseline", "alignment-baseline",
    "baseline-shift", "writing-mode",
    # how it is called
    "id", "class", "style", "version",
})  # fmt: skip
#: Groups by another name: what they would do besides is left out.
_GROUPS: Final = {"switch": "g", "a": "g"}
_LINKED: Final = frozenset({"linearGradient", "radialGradient"})
_PART: Final = re.compile(r"#[A-Za-z_][A-Za-z0-9_.-]{0,100}\Z")
#: `url(#part)`, the only address that a value may hold.
_OWN_URL: Final = re.compile(r"url\(\s*(['\"]?)#[A-Za-z_][A-Za-z0-9_.-]{0,100}\1\s*\)")
#: What a style sheet is written with; no at-rule, no escape, no markup.
_STYLE: Final = re.compile(r"[A-Za-z0-9\s.#,:;(){}%_\-+*>'\"!/=\[\]]*\Z")
_CALLS: Final = re.compile(r"url|expression|javascript|import|behavior|binding", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\s*([0-9]{1,7}(?:\.[0-9]{1,20})?)\s*(?:px)?\s*\Z")
_SEPARATOR: Final = re.compile(r"[\s,]+")


def looks_like_xml(body: bytes) -> bool:
    """Whether a file begins as an SVG would."""
    return body[:256].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def rewrite(body: bytes) -> Drawn:
    """
    The drawing of an SVG file, written anew, with its size.

    Raises `InvalidImage` for what is no SVG, has no size, or draws nothing that may stay.
    """
    try:
        # entities are refused, a document type alone is not: old editors write one
        root = fromstring(body, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        text = "The file is no well-formed SVG, or it defines entities."
        raise InvalidImage(text, detail=repr(error)) from error
    if root.tag != f"{_SVG}svg":
        raise InvalidImage(
            "The file is no PNG, WebP, ICO or SVG image.", code="media_type", detail=root.tag[:100]
        )
    drawing = _Writer().write(root)
    if not any(each.tag in _SHAPES for each in drawing.iter()):
        raise InvalidImage(
            "Nothing is left of the drawing without what is not taken: scripts, links, images and"
            " parts that come from elsewhere. Export it as plain paths."
        )
    width, height = _size(root)
    drawing.set("xmlns", "http://www.w3.org/2000/svg")
    drawing.set("width", str(width))
    drawing.set("height", str(height))
    return Drawn("image/svg+xml", tostring(drawing, encoding="utf-8"), width, height)


class _Writer:
    """Copies what is allowed, within limits."""

    def __init__(self) -> None:
        self._left = _MOST_ELEMENTS

    def write(self, root: Element) -> Element:
        """The outermost element, and what it holds."""
        drawing = Element("svg", dict(_attributes(root, "svg")))
        self._fill(drawing, root, _DEEPEST)
        if "viewBox" not in drawing.attrib:
            width, height = _size(root)
            drawing.set("viewBox", f"0 0 {width} {height}")
        return drawing

    def _fill(self, copy: Element, original: Element, levels: int) -> None:
        if levels == 0:
            raise InvalidImage(f"The drawing is nested more than {_DEEPEST} levels deep.")
        for child in original:
            self._left -= 1
            if self._left < 0:
                raise InvalidImage(f"The drawing has more than {_MOST_ELEMENTS:,} parts.")
            name = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
            name = _GROUPS.get(name, name)
            if name not in _ELEMENTS or not str(child.tag).startswith(_SVG):
                continue
            text = (child.text or "") if name in _WITH_TEXT else ""
            if name == "style" and not _is_plain(text):
                continue
            made = Element(name, dict(_attributes(child, name)))
            made.text = text or None
            if copy.tag in _WITH_TEXT:
                made.tail = child.tail
            copy.append(made)
            if name != "style":
                self._fill(made, child, levels - 1)


def _attributes(element: Element, name: str) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        if key in ("href", _XLINK_HREF):
            if name in _LINKED and _PART.match(value):
                yield "href", value
        elif key in _ATTRIBUTES and (_is_plain(value) if key == "style" else _is_safe(value)):
            yield key, value


def _is_safe(value: str) -> bool:
    """Whether a value of an attribute leads nowhere but into the same drawing."""
    rest = _OWN_URL.sub("", value)
    return "\\" not in value and not _CALLS.search(rest)


def _is_plain(style: str) -> bool:
    """Whether a style sheet only paints."""
    return _STYLE.match(style) is not None and _is_safe(style)


def _size(root: Element) -> tuple[int, int]:
    """
    Width and height in pixels, at most the longest edge that is taken.

    An SVG has no pixels: a larger one is the same drawing, told smaller. Raises `InvalidImage`.
    """
    edges = [_NUMBER.match(root.get(name, "")) for name in ("width", "height")]
    found = [float(each[1]) for each in edges if each]
    if len(found) < 2:  # noqa: PLR2004  (two edges)
        box = [_NUMBER.match(each) for each in _SEPARATOR.split(root.get("viewBox", "").strip())]
        found = [float(each[1]) for each in box[2:] if each]
    if len(found) != 2 or min(found) <= 0:  # noqa: PLR2004  (two edges)
        raise InvalidImage("The SVG says no size: give it a viewBox, or a width and a height.")
    shrink = min(1.0, LONGEST_EDGE / max(found))
    width, height = (max(1, round(edge * shrink)) for edge in found)
    return width, height
