"""
Logos that clients register: fetched once, drawn anew, never passed on as they came (DR-8).

What people are shown is an image that this process has made, so that a file made to confuse a
browser ends here. It is served from the tenant's own host: whoever signs in is not seen elsewhere.
"""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Final

from PIL import Image

from insula.clients.errors import InvalidClientMetadata
from insula.outbound.door import Door
from insula.outbound.errors import Busy, OutboundError, Unreachable

PATH: Final = "/client-logos"

_LARGEST: Final = 512 * 1024
_MOST_PIXELS: Final = 2048 * 2048
_EDGE: Final = 192
_KINDS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
}


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG of ours, known by its SHA-256."""

    digest: bytes
    image: bytes


async def fetch_logo(door: Door, uri: str, party: str) -> Logo | None:
    """
    Fetch and redraw the image at *uri*; None when there is none or its host is away.

    Raises `InvalidClientMetadata` for what is no image, or too large a one.
    """
    if not uri:
        return None
    try:
        fetched = await door.fetch(
            uri, limit=_LARGEST, accept=tuple(_KINDS), purpose="logo", party=party
        )
    except (Unreachable, Busy):
        return None
    except OutboundError as error:
        raise _refuse("gives no image of 512 KB", detail=error.detail) from error
    image = await asyncio.to_thread(redraw, fetched.body)
    return Logo(hashlib.sha256(image).digest(), image)


def redraw(body: bytes) -> bytes:
    """
    Draw an image of one of the kinds we take as a small PNG, its first frame and nothing else.

    Raises `InvalidClientMetadata`.
    """
    try:
        with Image.open(io.BytesIO(body), formats=tuple(_KINDS.values())) as opened:
            _check_size(opened)
            opened.draft("RGB", (_EDGE, _EDGE))
            drawn = opened.convert("RGBA")
    except InvalidClientMetadata:
        raise
    except Exception as error:  # (whatever a decoder meets in a file of others)
        raise _refuse("is no PNG, JPEG, WebP or GIF", detail=repr(error)) from error
    drawn.thumbnail((_EDGE, _EDGE))
    clean = Image.new("RGBA", drawn.size)  # without what came beside the pixels
    clean.paste(drawn)
    out = io.BytesIO()
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()


def _check_size(opened: Image.Image) -> None:
    """Judge by the head of the file, before its pixels are unpacked."""
    if opened.width * opened.height > _MOST_PIXELS:
        raise _refuse("has too many pixels")


def _refuse(why: str, *, detail: str = "") -> InvalidClientMetadata:
    return InvalidClientMetadata(why, field="logo_uri", detail=detail)
