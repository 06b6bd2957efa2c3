"""`Section`: one typed group of settings, declared next to the domain that obeys it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict

#: What is shown of a secret; sent back, it keeps what is stored (features.md CR-14).
MASK: Final = "••••••••"


class DecidedBy(StrEnum):
    """Who may change a section."""

    PLATFORM = "platform"
    TENANT = "tenant"


class Kind(StrEnum):
    """
    How far the platform may bind what a tenant decides (features.md C03, C04).

    Written into a field's annotation: `Annotated[int, Kind.CEIL_MAX]`.
    """

    #: Only the limits that are built in.
    FREE = "free"
    #: The platform's true keeps a tenant from false.
    FLOOR_BOOL = "floor-bool"
    #: Not less than the platform's number.
    FLOOR_MIN = "floor-min"
    #: Not an earlier choice than the platform's, the strictest being last.
    FLOOR_ORDER = "floor-order"
    #: Not more than the platform's number.
    CEIL_MAX = "ceil-max"
    #: The same where 0 is no limit at all: it lies beyond every number but itself.
    CEIL_MAX0 = "ceil-max0"
    #: The platform's false keeps a tenant from true.
    CEIL_BOOL = "ceil-bool"
    #: A list that holds nothing but what the platform's does.
    SUBSET = "subset"
    #: The platform's alone: a tenant sees it.
    PLATFORM = "platform"

    @property
    def is_floor(self) -> bool:
        return self.value.startswith("floor")


@dataclass(frozen=True, slots=True)
class Order:
    """The choices of a `FLOOR_ORDER` field, loose to strict, if its type lists them otherwise."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """What the number of a field counts, where its name does not end with it."""

    name: str


@dataclass(frozen=True, slots=True)
class Image:
    """
    The field names an image of the tenant by its address, or is empty.

    Whoever saves it must have uploaded it: what a tenant does not have is refused.
    """


@dataclass(frozen=True, slots=True)
class Secret:
    """
    The field holds a secret: `password: Annotated[str, Secret()] = ""`.

    It is sealed before it is stored, and what the section carries is sealed: the feature that needs
    it asks `config_overrides.secrets`. *longest* is the limit of what is typed in.
    """

    longest: int = 1000


@dataclass(frozen=True, slots=True)
class Colour:
    """The field is a colour, or empty. With *derived* an empty one follows from others."""

    derived: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """
    The field belongs to a part of its section, which can be taken back alone.

    With *fold* it stands with others behind that title, under the *head* of its group.
    """

    name: str
    fold: str = ""
    head: str = ""


class Section(BaseModel):
    """
    Settings that belong together.

    A subclass says what they are for, gives each its default and its bounds, and who decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: ClassVar[str]
    decided_by: ClassVar[DecidedBy]
    #: False while what obeys it reads the built-in values only.
    settable: ClassVar[bool] = True

    def clashes(self) -> Iterator[tuple[str, str]]:
        """
        Say which values do not go with the others, as a field and a sentence.

        It is asked when a section is saved, of the whole as it would then hold, and not when one is
        read: a value does not lose its force because another changed.
        """
        yield from ()

    def new_clashes(self, before: Self) -> Iterator[tuple[str, str]]:
        """
        Say which clashes come of what has changed since *before*.

        A field that clashed already and stays as it was keeps nobody from changing another: what
        it clashes with may have come of a default of the platform.
        """
        known = {name for name, _ in before.clashes()}
        for name, text in self.clashes():
            if name not in known or getattr(self, name) != getattr(before, name):
                yield name, text

    @classmethod
    def kind(cls, field: str) -> Kind:
        """How far the platform may bind *field*."""
        if cls.decided_by is DecidedBy.PLATFORM:
            return Kind.PLATFORM
        marks = cls.model_fields[field].metadata
        return next((mark for mark in marks if isinstance(mark, Kind)), Kind.FREE)

    @classmethod
    def images(cls) -> frozenset[str]:
        """The fields that name an image."""
        return cls._marked(Image)

    @classmethod
    def secrets(cls) -> frozenset[str]:
        """The fields that hold a secret."""
        return cls._marked(Secret)

    @classmethod
    def longest_secret(cls, field: str) -> int:
        """How many characters a secret may have."""
        marks = cls.model_fields[field].metadata
        return next(mark.longest for mark in marks if isinstance(mark, Secret))

    @classmethod
    def part(cls, field: str) -> Part | None:
        """The part of the section that *field* belongs to."""
        marks = cls.model_fields[field].metadata
        return next((mark for mark in marks if isinstance(mark, Part)), None)

    @classmethod
    def _marked(cls, mark: type) -> frozenset[str]:
        return frozenset(
            name
            for name, info in cls.model_fields.items()
            if any(isinstance(each, mark) for each in info.metadata)
        )

    @classmethod
    def choices(cls, field: str) -> tuple[Any, ...]:
        """
        What *field* may be, from loose to strict where there is an order; () without a list.

        Of a field that is a list: what may stand in it.
        """
        info = cls.model_fields[field]
        order = next((mark for mark in info.metadata if isinstance(mark, Order)), None)
        if order is not None:
            return order.choices
        kind: Any = info.annotation
        if get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        return get_args(kind) if get_origin(kind) is Literal else ()
