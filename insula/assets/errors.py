"""What can be refused about images."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class InvalidImage(Invalid):
    """Not an image that is taken; the code says in which way, *field* is `file`."""

    def __init__(self, description: str, *, code: str = "", detail: str = "") -> None:
        super().__init__(description, field="file", code=code, detail=detail)


class TooManyAssets(Conflict):
    """A tenant keeps as many images as it may."""

    code = "quota_reached"


class AssetInUse(Conflict):
    """A setting refers to it."""


class NoSuchAsset(NotFound):
    """The tenant has no such image."""
