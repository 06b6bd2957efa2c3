"""What an image is known by, and how large it may be."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

Kind = Literal[
    "logo_light", "logo_dark", "logo_icon_light", "logo_icon_dark", "icon_url", "favicon"
]
#: What an image is for: the field of the section branding that it was uploaded for.
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

PATH: Final = "/img"
#: Bytes of a file, before and after it is drawn anew.
LARGEST: Final = 1024 * 1024
#: Pixels along an edge.
LONGEST_EDGE: Final = 2000

_PATH = re.compile(rf"{PATH}/([0-9a-f]{{64}})\Z")


def path_of(digest: bytes) -> str:
    """Where the tenant's host serves an image, and how a setting names it."""
    return f"{PATH}/{digest.hex()}"


def digest_of(path: str) -> bytes | None:
    """The reverse; None for any other text."""
    found = _PATH.match(path)
    return bytes.fromhex(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """An image that this process has made."""

    media_type: str
    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Asset:
    """An image that a tenant keeps, without its bytes."""

    id: UUID
    kind: str
    media_type: str
    digest: bytes
    width: int
    height: int
    size: int
    created_by: str
    created_at: datetime

    @property
    def path(self) -> str:
        return path_of(self.digest)
