"""Which objects a document names, and whose they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from insula.config_overrides.marks import Ownership

#: Parts of a document whose entries are objects; the scopes of an API belong to its entry.
Part = Literal["claims", "apis", "scopes", "clients"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Place:
    """An object, by the part of the document and its name there."""

    part: Part
    name: str

    def __str__(self) -> str:
        return f"{self.part}/{self.name}"


#: Of each object that documents own or owned, whose it is.
Owned = Mapping[Place, Ownership]
