"""
From what is stored to what holds: built-in < platform < tenant, kept inside the bounds (C08).

Pure and total: a stored value that another release wrote and this one would refuse counts as not
stored, so that reading never fails.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from insula.config_overrides.marks import Mark, Violation
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Explained, Layers, Source, Values
from insula.kernel.settings import Kind, Section

S = TypeVar("S", bound=Section)


def resolve(section: type[S], layers: Layers) -> S:
    """A section as it holds for the tenant of *layers*."""
    bounds = valid_bounds(section, layers)
    platform = _valid(section, layers.platform.get(section.key, {}))
    own = _own(section, layers)
    for values in ({**platform, **own}, platform, {}):
        found = _within(section, values, bounds)
        if found is not None:
            return found
    return section()


def _within(section: type[S], values: Values, bounds: Values) -> S | None:
    """The section of *values* inside *bounds*; None when these do not go together."""
    try:
        whole = section.model_validate(dict(values))
        if not bounds:
            return whole
        inside = {name: clamp(section, name, getattr(whole, name), bounds) for name in bounds}
        return section.model_validate({**whole.model_dump(), **inside})
    except ValidationError:
        return None


def valid_bounds(section: type[Section], layers: Layers) -> dict[str, Any]:
    """The platform's bounds of a section, those of fields that can be bound."""
    stored = _valid(section, layers.bounds.get(section.key, {}))
    return {name: value for name, value in stored.items() if section.kind(name) in _CLAMPS}


def _own(section: type[Section], layers: Layers) -> dict[str, Any]:
    stored = _valid(section, layers.own.get(section.key, {}))
    return {name: v for name, v in stored.items() if section.kind(name) is not Kind.PLATFORM}


def _valid(section: type[Section], values: Values) -> dict[str, Any]:
    known = {name: value for name, value in values.items() if name in section.model_fields}
    if is_valid(section, known):  # nearly always, and then one look is enough
        return known
    known = {name: readable(section, name, value) for name, value in known.items()}
    return {name: value for name, value in known.items() if is_valid(section, {name: value})}


def readable(section: type[Section], name: str, value: object) -> object:
    """
    A list without the words that this release does not know.

    What a list leaves out is taken away, and one unknown word must not give all of it back.
    """
    if section.kind(name) is not Kind.SUBSET or not isinstance(value, list | tuple):
        return value
    return [word for word in value if word in section.choices(name)]


def is_valid(section: type[Section], values: Values) -> bool:
    """Whether a section could hold these values, with the built-in ones for the rest."""
    try:
        section.model_validate(dict(values))
    except ValidationError:
        return False
    return True


def _stricter(choices: tuple[Any, ...], value: object, bound: object) -> object:
    return max(value, bound, key=choices.index)


def _at_most(value: int, bound: int) -> int:
    """The smaller of two numbers of which 0 is the largest."""
    return min((value, bound), key=lambda number: number or math.inf)


def _cut(value: Collection[Any], bound: Collection[Any]) -> Collection[Any]:
    """What of a list a bound holds too, in the list's own order and kind."""
    kept = [each for each in value if each in bound]
    return tuple(kept) if isinstance(value, tuple) else kept


_Clamp = Callable[[Any, Any, tuple[Any, ...]], Any]
_CLAMPS: Final[Mapping[Kind, _Clamp]] = {
    Kind.FLOOR_BOOL: lambda value, bound, _: value or bound,
    Kind.CEIL_BOOL: lambda value, bound, _: value and bound,
    Kind.FLOOR_MIN: lambda value, bound, _: max(value, bound),
    Kind.CEIL_MAX: lambda value, bound, _: min(value, bound),
    Kind.CEIL_MAX0: lambda value, bound, _: _at_most(value, bound),
    Kind.SUBSET: lambda value, bound, _: _cut(value, bound),
    Kind.FLOOR_ORDER: lambda value, bound, choices: _stricter(choices, value, bound),
}


def can_be_bound(section: type[Section], name: str) -> bool:
    """Whether a field takes a floor or a ceiling."""
    return section.kind(name) in _CLAMPS


def clamp(section: type[Section], name: str, value: object, bounds: Values) -> Any:  # noqa: ANN401  (of the field's type)
    """*value* of a field, moved inside its bound if it has one and lies beyond."""
    move = _CLAMPS.get(section.kind(name))
    if move is None or name not in bounds:
        return value
    return move(value, bounds[name], section.choices(name))


def violations(section: type[Section], values: Values, layers: Layers) -> list[Violation]:
    """Which of *values*, valid in themselves, lie beyond the platform's bounds."""
    bounds = valid_bounds(section, layers)
    return [
        Violation(
            f"{section.key}.{name}", value, bounds[name],
            layers.bound_marks.get(f"{section.key}.{name}"), section.kind(name),
        )
        for name, value in values.items()
        if name in bounds and clamp(section, name, value, bounds) != value
    ]  # fmt: skip


def explain(section: type[Section], layers: Layers) -> list[Explained]:
    """Each field of a section, to be shown: what holds, why, and what binds it (C11)."""
    effective = resolve(section, layers).model_dump(mode="json")
    without = Layers(platform=layers.platform, bounds=layers.bounds)
    inherited = resolve(section, without).model_dump(mode="json")
    default = section().model_dump(mode="json")
    platform = _valid(section, layers.platform.get(section.key, {}))
    own, bounds = _own(section, layers), valid_bounds(section, layers)
    found = []
    for name in section.model_fields:
        place = f"{section.key}.{name}"
        source: Source = "default"
        mark = None
        own_mark = layers.own_marks.get(place) if name in own else None
        if name in own:
            source, mark = _own_source(own_mark), own_mark
        elif name in platform:
            source, mark = "platform", layers.platform_marks.get(place)
        wanted = own.get(name, platform.get(name, default[name]))
        if effective[name] != wanted:
            source, mark = "clamped", layers.bound_marks.get(place)
        found.append(
            Explained(
                name, mask(effective[name]), source, mask(own.get(name)), mask(inherited[name]),
                default[name],
                bounds.get(name), mark, layers.bound_marks.get(place), own_mark,
            )
        )  # fmt: skip
    return found


def _own_source(mark: Mark | None) -> Source:
    """Whether a tenant's own value is of documents, of a template, or was set by somebody."""
    if mark is not None and mark.owner is not None:
        return "git"
    return "template" if mark is not None and mark.template else "tenant"
