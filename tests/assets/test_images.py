"""Files of strangers become images of ours: drawn anew, or refused in a sentence."""

import io
import struct
import zlib

import pytest
from defusedxml.ElementTree import fromstring
from PIL import Image

from insula.assets import service
from insula.assets.errors import InvalidImage
from insula.assets.models import LARGEST
from insula.kernel.errors import Invalid

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(kind="PNG", size=(300, 100), mode="RGBA", **options):
    out = io.BytesIO()
    Image.new(mode, size, 7).save(out, kind, **options)
    return out.getvalue()


def svg(inside, attributes='viewBox="0 0 240 72"'):
    return f"<svg {NS} {attributes}>{inside}</svg>".encode()


def png_that_says(width, height):
    """The head of a PNG of any size, with hardly any pixels behind it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def icon_of(inside):
    """An icon that says it holds 16 pixels."""
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + inside


pytestmark = pytest.mark.spec("features J11", "security row 93")


@pytest.mark.parametrize(
    ("body", "media_type", "size"),
    [
        (picture(), "image/png", (300, 100)),
        (picture(mode="P", transparency=0), "image/png", (300, 100)),
        (picture(mode="L"), "image/png", (300, 100)),
        (picture("WEBP"), "image/webp", (300, 100)),
        (picture("ICO", (64, 64), sizes=[(16, 16), (48, 48)]), "image/png", (48, 48)),
        (picture("ICO", (32, 32), bitmap_format="bmp"), "image/png", (32, 32)),
    ],
    ids=range(6),
)
async def test_a_raster_image_is_drawn_anew_by_what_it_is(body, media_type, size):
    drawn = await service.draw("logo_light", body + b"<script>alert(1)</script>")
    assert (drawn.media_type, (drawn.width, drawn.height)) == (media_type, size)
    with Image.open(io.BytesIO(drawn.image)) as opened:
        assert opened.size == size
    assert b"script" not in drawn.image


async def test_what_stands_beside_the_pixels_is_left_behind():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    body = picture("WEBP", exif=exif)
    assert b"taken at home" in body
    assert b"taken at home" not in (await service.draw("favicon", body)).image


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", "validation_failed", "No file"),
        (picture("JPEG", mode="RGB"), "media_type", "whatever its name says"),
        (picture("GIF", mode="P"), "media_type", "whatever its name says"),
        (b"<html><script>alert(1)</script></html>", "media_type", "no PNG, WebP, ICO or SVG"),
        (picture()[:60], "validation_failed", "cannot be read"),
        (b"RIFF\0\0\0\0WEBPxxxx", "validation_failed", "cannot be read"),
        (b"\0\0\1\0\1\0", "validation_failed", "cannot be read as the icon"),
        (picture(size=(2001, 10)), "validation_failed", "2,001 by 10 pixels"),
        (png_that_says(60_000, 60_000), "validation_failed", "far more than 2,000"),
        (icon_of(png_that_says(9000, 9000)), "validation_failed", "9,000 by 9,000"),
        (
            icon_of(struct.pack("<iiiHHiiiiii", 40, 8000, 16000, 1, 32, 0, 0, 0, 0, 0, 0)),
            "validation_failed", "8,000 by 8,000",
        ),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * LARGEST, "too_large", "larger than 1 MB"),
    ],
    ids=range(12),
)  # fmt: skip
async def test_what_is_no_image_that_is_taken_is_refused_in_a_sentence(body, code, said):
    with pytest.raises(InvalidImage) as refusal:
        await service.draw("favicon", body)
    assert said in refusal.value.description
    assert (refusal.value.code, refusal.value.field) == (code, "file")


async def test_an_image_is_for_something_that_there_is():
    with pytest.raises(Invalid) as refusal:
        await service.draw("banner", picture())
    assert refusal.value.field == "kind"


DRAWING = '<rect id="a" width="10" height="10" fill="url(#g)"/>'


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)"><title>x</title></a>',
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>alert</body></foreignObject>",
        '<image href="https://elsewhere.example/a.png"/>',
        '<image xlink:href="data:image/png;base64,AAAA"/>',
        '<use href="https://elsewhere.example/a.svg#x"/>',
        '<use href="#a"/>',
        '<set attributeName="onmouseover" to="alert(1)"/>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<g onload="alert(1)" onclick="alert(1)"/>',
        '<rect fill="url(https://elsewhere.example/#x)"/>',
        '<rect fill="u\\72l(https://elsewhere.example/#x)"/>',
        '<rect style="background:url(//elsewhere.example/x)"/>',
        "<style>@import 'https://elsewhere.example/x.css';</style>",
        "<style>rect{background:url(https://elsewhere.example/x)}</style>",
        "<style>rect{behavior:alert}</style>",
        '<linearGradient id="g" xlink:href="https://elsewhere.example/#h"/>',
        '<handler xmlns="http://www.w3.org/2001/xml-events">alert(1)</handler>',
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
        "<?xml-stylesheet href='https://elsewhere.example/x.css'?>",
        "<!-- alert -->",
    ],
)
async def test_an_svg_is_written_anew_without_what_a_drawing_does_not_need(bad):
    drawn = await service.draw("logo_light", svg(DRAWING + bad, 'viewBox="0 0 240 72" onload="a"'))
    text = drawn.image.decode()
    for word in ("alert", "elsewhere", "javascript", "data:", "onload", "<use", "<image", "import"):
        assert word not in text, text
    root = fromstring(text)
    assert (drawn.media_type, drawn.width, drawn.height) == ("image/svg+xml", 240, 72)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == (
        "240", "72", "0 0 240 72",
    )  # fmt: skip
    assert root[0].get("fill") == "url(#g)"


async def test_what_a_drawing_needs_stays():
    inside = (
        '<style>.a{fill:url(#g);stroke:#fff}</style><defs><linearGradient id="g" xlink:href="#h">'
        '<stop offset="0" stop-color="red"/></linearGradient></defs>'
        '<switch><g class="a" transform="scale(2)"><path d="M0 0h9v9z" style="opacity:.5"/></g>'
        '</switch><text x="1">One <tspan font-weight="bold">two</tspan> three</text>'
    )
    head = (
        b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/svg.dtd">'
    )
    drawn = await service.draw("logo_light", head + svg(inside, 'width="4000px" height="1000"'))
    text = drawn.image.decode()
    for kept in (
        ".a{fill:url(#g);stroke:#fff}", 'href="#h"', 'stop-color="red"', 'transform="scale(2)"',
        'style="opacity:.5"', '>One <tspan font-weight="bold">two</tspan> three<',
    ):  # fmt: skip
        assert kept in text
    assert (drawn.width, drawn.height) == (2000, 500)
    assert "DOCTYPE" not in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (svg("<script>1</script><image href='x'/>"), "Nothing is left"),
        (svg(DRAWING, ""), "says no size"),
        (svg(DRAWING, 'viewBox="0 0 0 9"'), "says no size"),
        (svg(DRAWING, 'width="100%" height="100%"'), "says no size"),
        (svg("<g>" * 41 + DRAWING + "</g>" * 41), "levels deep"),
        (svg("<g/>" * 5001 + DRAWING), "5,000 parts"),
        (b"<svg><rect", "well-formed"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<text>&a;</text>"), "defines entities"),
        (b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("<text>&a;</text>"),
         "defines entities"),
        (b'<?xml version="1.0" encoding="made-up"?><svg/>', "well-formed"),
    ],
    ids=range(10),
)  # fmt: skip
async def test_an_svg_of_which_nothing_sane_remains_is_refused(body, said):
    with pytest.raises(InvalidImage) as refusal:
        await service.draw("logo_light", body)
    assert said in refusal.value.description
