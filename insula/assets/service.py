"""Adding images, showing them, taking them away; and what settings may refer to."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from cachetools import TTLCache

from insula.assets import raster, store, vector
from insula.assets.errors import AssetInUse, InvalidImage, NoSuchAsset, TooManyAssets
from insula.assets.models import KINDS, LARGEST, Asset, Drawn
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.kernel.errors import Invalid
from insula.tenancy.db import Connection, Tenant

#: How many images a tenant keeps; those that nothing refers to leave by themselves.
MOST: Final = 100
#: What memory holds of them in one process, in bytes, and for how many seconds.
_MEMORY: Final = 16 * LARGEST
_REMEMBERED: Final = 300.0

_Name = tuple[UUID, bytes]
_Held = tuple[str, bytes]


async def draw(kind: str, body: bytes) -> Drawn:
    """
    Make an image of ours of a file: what it is, its content says.

    Off the event loop, and before the transaction that keeps it. Raises `InvalidImage`, `Invalid`.
    """
    if kind not in KINDS:
        raise Invalid(f"must be one of {', '.join(KINDS)}", field="kind")
    return await asyncio.to_thread(_draw, body)


def _draw(body: bytes) -> Drawn:
    if not body:
        raise InvalidImage("No file was sent.")
    if len(body) > LARGEST:
        raise _too_large()
    found = raster.kind_of(body)
    if found is not None:
        drawn = raster.redraw(body, found)
    elif vector.looks_like_xml(body):
        drawn = vector.rewrite(body)
    else:
        text = "The file is no PNG, WebP, ICO or SVG image, whatever its name says."
        raise InvalidImage(text, code="media_type")
    if len(drawn.image) > LARGEST:
        raise _too_large()
    return drawn


def _too_large() -> InvalidImage:
    return InvalidImage("The image is larger than 1 MB.", code="too_large")


async def add(db: Connection, kind: str, drawn: Drawn, actor: Actor) -> Asset:
    """
    Keep an image for the bound tenant; one that it has already is that one.

    What no setting refers to leaves after a week. Raises `TooManyAssets`.
    """
    digest = hashlib.sha256(drawn.image).digest()
    await store.hold(db)
    kept = await store.touch(db, [digest])
    if kept:
        return kept[0]
    if await store.count(db, MOST) >= MOST:
        raise TooManyAssets(
            f"A tenant keeps at most {MOST} images. What nothing refers to leaves after a week."
        )
    who = " ".join(each for each in (actor.type, actor.id) if each)
    made = await store.insert(db, kind, digest, drawn, who[:200])
    assert made is not None  # noqa: S101  (nobody else could add it: the tenant is held)
    await _audit(db, actor, made, "added")
    return made


async def all_of(db: Connection) -> list[Asset]:
    """The bound tenant's images, newest first."""
    return await store.all_of(db, MOST)


async def remove(db: Connection, asset: UUID, actor: Actor) -> None:
    """Take an image of the bound tenant away. Raises `NoSuchAsset`, `AssetInUse`."""
    await store.hold(db)
    found = await store.find(db, asset)
    if found is None:
        raise NoSuchAsset("There is no such image.")
    if await store.is_used(db, found.path):
        raise AssetInUse("A setting shows this image; take it out of there first.")
    await store.delete(db, asset)
    await _audit(db, actor, found, "removed")


async def _audit(db: Connection, actor: Actor, asset: Asset, what: str) -> None:
    details = {"asset": what, "kind": asset.kind, "media_type": asset.media_type,
               "bytes": asset.size}  # fmt: skip
    await audit.record(
        db,
        Event("config.updated", actor, target_type="asset", target_id=asset.path,
              metadata=details),
    )  # fmt: skip


async def known(db: Connection, digests: Iterable[bytes]) -> Mapping[bytes, Asset]:
    """Which of these images the bound tenant has; they will not be swept while *db* runs."""
    wanted = sorted(set(digests))
    return {each.digest: each for each in await store.touch(db, wanted)} if wanted else {}


async def image_in(db: Connection, digest: bytes) -> tuple[str, bytes]:
    """Media type and bytes of an image of the bound tenant. Raises `NoSuchAsset`."""
    found = await store.image_in(db, digest)
    if found is None:
        raise NoSuchAsset("There is no such image.")
    return found


def _size(held: _Held) -> int:
    """What an image takes in memory, with what stands around it."""
    return len(held[1]) + 500


class Images:
    """What one process remembers of images: bounded, and each under its tenant first (CR-11)."""

    def __init__(self, size: int = _MEMORY, remembered: float = _REMEMBERED) -> None:
        self._held: TTLCache[_Name, _Held] = TTLCache(size, remembered, getsizeof=_size)

    async def find(self, tenant: Tenant, digest: bytes) -> tuple[str, bytes] | None:
        """Media type and bytes of an image of the tenant; from memory, or in one trip."""
        name = (tenant.id, digest)
        held: _Held | None = self._held.get(name)
        if held is None:
            held = await store.image(tenant, digest)
            if held is not None and _size(held) <= self._held.maxsize:
                self._held[name] = held
        return held
