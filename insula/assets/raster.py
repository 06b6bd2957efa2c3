"""PNG, WebP and ICO: unpacked within limits and drawn anew, so that only pixels remain."""

import io
import struct
import warnings
from typing import Final

from PIL import Image

from insula.assets.errors import InvalidImage
from insula.assets.models import LONGEST_EDGE, Drawn

#: What a file begins with. The name that it has, and what its sender calls it, say nothing.
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ICO: Final = b"\0\0\1\0"
_PLAIN: Final = frozenset({"1", "L", "LA", "RGB", "RGBA"})


def kind_of(body: bytes) -> str | None:
    """The kind of a file by its first bytes, as Pillow calls it; None for none of ours."""
    if body.startswith(_PNG):
        return "PNG"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    return "ICO" if body.startswith(_ICO) else None


def redraw(body: bytes, kind: str) -> Drawn:
    """
    Draw an image anew: its first picture, the largest of an icon, without what stood beside it.

    An icon becomes a PNG. Raises `InvalidImage`.
    """
    if kind == "ICO":
        body, kind = _largest_of(body)
    try:
        # a warning of Pillow's, too: what it would unpack is larger than anything that is taken
        with warnings.catch_warnings(), Image.open(io.BytesIO(body), formats=(kind,)) as opened:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            _check_size(opened.width, opened.height)
            drawn = opened if opened.mode in _PLAIN else opened.convert("RGBA")
            clean = Image.new(drawn.mode, drawn.size)
            clean.paste(drawn)
    except InvalidImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        text = f"The image has far more than {LONGEST_EDGE:,} pixels along an edge."
        raise InvalidImage(text, detail=repr(error)) from error
    except Exception as error:  # (whatever a decoder meets in a file of others)
        text = "The file cannot be read as the image that it begins as."
        raise InvalidImage(text, detail=repr(error)) from error
    out = io.BytesIO()
    if kind == "WEBP":
        clean.save(out, "WEBP", quality=90)
    else:
        clean.save(out, "PNG", optimize=True)
    media_type = "image/webp" if kind == "WEBP" else "image/png"
    return Drawn(media_type, out.getvalue(), clean.width, clean.height)


def _check_size(width: int, height: int) -> None:
    """Judge by the head of the file, before its pixels are unpacked."""
    if max(width, height) > LONGEST_EDGE:
        raise InvalidImage(
            f"The image is {width:,} by {height:,} pixels; at most {LONGEST_EDGE:,} along an edge"
            " are taken."
        )


def _largest_of(body: bytes) -> tuple[bytes, str]:
    """
    The largest picture of an icon, as a file of its own, and its kind.

    An icon's own list says at most 256 pixels of each, whatever the picture is: so its head is
    read here. Raises `InvalidImage`.
    """
    try:
        _, _, n = struct.unpack_from("<HHH", body)
        entries = [struct.unpack_from("<BBBBHHII", body, 6 + 16 * i) for i in range(min(n, 64))]
        entry = max(entries, key=lambda each: ((each[0] or 256) * (each[1] or 256), each[5]))
        size, start = entry[-2:]
        picture = body[start : start + size]
        if picture.startswith(_PNG):
            return picture, "PNG"
        _, width, twice = struct.unpack_from("<iii", picture)  # twice as high, with its mask
    except (struct.error, ValueError) as error:
        text = "The file cannot be read as the icon that it begins as."
        raise InvalidImage(text, detail=repr(error)) from error
    _check_size(abs(width), abs(twice) // 2)
    head = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", *entry[:-2], len(picture), 22)
    return head + picture, "ICO"
