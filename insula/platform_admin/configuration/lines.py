"""The lines of a form of settings: what holds, where it comes from, and what binds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from insula.config_overrides.marks import Mark
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Explained, Layers, Values
from insula.config_overrides.resolution import can_be_bound, clamp, explain, valid_bounds
from insula.kernel.settings import Kind, Section
from insula.platform_admin.configuration.controls import Control, Errors, controls, shown, span
from insula.platform_admin.people import By, Names, who
from insula.ui.pages import day

State = Literal["inherited", "here", "changed", "locked", "clamped"]

_DECIDES: Final = "Each tenant decides"
_AT_MOST: Final = {"word": "Not more than"}
#: What a bound is called, what it says where there is none, and what when it is set.
_WORDS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.FLOOR_BOOL: {"word": "Floor", "none": _DECIDES, "set": "Always on"},
    Kind.CEIL_BOOL: {"word": "Ceiling", "none": _DECIDES, "set": "Always off"},
    Kind.FLOOR_MIN: {"word": "Not less than"},
    Kind.FLOOR_ORDER: {"word": "Not looser than", "none": _DECIDES},
    Kind.CEIL_MAX0: {**_AT_MOST, "none": "0 is no limit, and binds nothing."},
    Kind.SUBSET: {"word": "Nothing but", "none": f"Nothing marked: {_DECIDES.lower()}."},
}


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers that there are, and those that a bound leaves."""

    low: int
    high: int
    floor: int
    ceiling: int
    value: int


@dataclass(frozen=True, slots=True)
class Line:
    """
    One field as it stands in a form. *value* is what its control shows.

    *source* is where an inherited value comes from; *by* who set an own one, and when; *back* what
    a reset gives. *lock* has a head and a text; *owner* says whose documents own it, *released* who
    took it from them; *planned* what it is to become, and when.
    """

    control: Control
    state: State
    value: Any
    source: str = ""
    by: str = ""
    back: str = ""
    is_own: bool = False
    is_fixed: bool = False
    lock: tuple[str, str] | None = None
    scale: Scale | None = None
    refused: tuple[str, ...] = ()
    error: str = ""
    span: str = ""
    owner: str = ""
    released: str = ""
    planned: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


def bys_of(layers: Layers) -> list[By]:
    """Whose names the lines need."""
    marks = (layers.own_marks, layers.platform_marks, layers.bound_marks)
    owned = [mark.owned for mark in layers.own_marks.values() if mark.owned]
    return [
        *(mark.by for found in marks for mark in found.values()),
        *(each.by for each in owned),
        *(each.released.by for each in owned if each.released),
        *(plan.by for plan in (*layers.plans.values(), *layers.coming)),
    ]


def _signed(mark: Mark | None, known: Names) -> str:
    if mark is None:
        return ""
    when = f", {day(mark.at)}" if mark.at else ""
    used = f", last used {day(mark.used_at)}" if mark.used_at else ""
    origin = f", from the template {mark.template}" if mark.template else ""
    return f"{who(mark.by, known)}{when}{origin}{used}"


def _owner(mark: Mark | None, known: Names) -> tuple[str, str]:
    """Whose documents own a field, and who took it from them: one of the two, or neither."""
    owned = mark.owned if mark else None
    if owned is None:
        return "", ""
    if owned.released is not None:
        given = owned.released
        return "", f"Released by {who(given.by, known)}, {day(given.at)}: “{given.reason}”"
    source = f" Source: {owned.source}." if owned.source else ""
    return f"Claimed by {who(owned.by, known)}, {day(owned.at)}.{source}", ""


def of_tenant(section: type[Section], layers: Layers, known: Names) -> list[Line]:
    """Each field as it holds for a tenant (features.md C11)."""
    bounds = valid_bounds(section, layers)
    explained = {each.name: each for each in explain(section, layers)}
    lines = []
    for c in controls(section):
        mark = layers.own_marks.get(f"{section.key}.{c.name}")
        line = _of_tenant(section, c, explained[c.name], bounds, _signed(mark, known), known)
        owner, released = _owner(explained[c.name].own_mark, known)
        lines.append(
            replace(line, owner=owner, released=released, is_fixed=line.is_fixed or bool(owner))
        )
    return lines


def _of_tenant(  # noqa: PLR0913  (each is needed once)
    section: type[Section],
    control: Control,
    found: Explained,
    bounds: Values,
    by: str,
    known: Names,
) -> Line:
    value = found.effective if found.own is None else found.own
    source = "the platform" if found.source == "platform" else "what is built in"
    line = Line(
        control,
        "inherited" if found.own is None else "here",
        value,
        source="a bound of the platform" if found.source == "clamped" else source,
        by=by if found.own is not None else "",
        back=shown(control, found.inherited),
        is_own=found.own is not None,
        span=span(control, value),
    )
    if control.kind is Kind.PLATFORM:
        head = "Decided by the platform"
        return replace(line, state="locked", is_fixed=True, lock=(head, "For all tenants alike."))
    if not _binds(control, found.bound):
        return line
    return _bound(section, line, found, bounds, known)


def _binds(control: Control, bound: object) -> bool:
    """Whether there is a bound that keeps anybody from anything."""
    return bound is not None and not (control.kind is Kind.CEIL_MAX0 and bound == 0)


def _bound(
    section: type[Section], line: Line, found: Explained, bounds: Values, known: Names
) -> Line:
    """A line whose field the platform has bound."""
    control = line.control
    signed = _signed(found.bound_mark, known)
    by = f"Set by {signed}." if signed else "Set by the platform."
    limit = shown(control, found.bound)
    line = replace(line, scale=_scale(control, found.bound, found.effective))
    line = replace(line, refused=_refused(section, control, bounds))
    if found.own is not None and found.own != found.effective:
        text = f"“{shown(control, found.own)}” is stored and comes back if that is lifted. {by}"
        said = shown(control, found.effective)
        head = f"in force: {said}" if control.shape == "set" else f"{said} is in force"
        return replace(
            line, state="clamped", lock=(head[:1].upper() + head[1:], text),
            is_fixed=control.shape == "switch",
        )  # fmt: skip
    if control.shape == "switch":
        if (found.bound is True) != (control.kind is Kind.FLOOR_BOOL):
            return line  # a bound that binds nothing
        always = "Always on" if found.bound else "Always off"
        return replace(line, state="locked", is_fixed=True, value=found.bound, lock=(always, by))
    word = "Floor" if control.kind.is_floor else "Ceiling"
    return replace(line, lock=(f"{word}: {limit}", by))


def _refused(section: type[Section], control: Control, bounds: Values) -> tuple[str, ...]:
    """The choices that a bound leaves out."""
    if control.kind is Kind.SUBSET:
        return tuple(choice for choice in control.choices if choice not in bounds[control.name])
    return tuple(
        choice
        for choice in control.choices
        if clamp(section, control.name, choice, bounds) != choice
    )


def _scale(control: Control, bound: Any, value: Any) -> Scale | None:  # noqa: ANN401  (values of any kind)
    if control.shape != "number":
        return None
    low = control.low or 0
    high = control.high or max(bound, value) * 2
    if low >= high or not low <= bound <= high or not low <= value <= high:
        return None
    if control.kind.is_floor:
        return Scale(low, high, bound, high, value)
    return Scale(low, high, low, bound, value)


def of_defaults(section: type[Section], layers: Layers, known: Names) -> list[Line]:
    """Each field as tenants inherit it."""
    without = Layers(platform=layers.platform, bounds=layers.bounds)
    own = layers.platform.get(section.key, {})
    bounds = valid_bounds(section, layers)
    lines = []
    for c, found in zip(controls(section), explain(section, without), strict=True):
        if c.shape == "image":
            continue  # an image belongs to one tenant
        value = mask(own.get(c.name, found.default))
        line = Line(
            c,
            "here" if c.name in own else "inherited",
            value,
            source="what is built in",
            by=_signed(layers.platform_marks.get(f"{section.key}.{c.name}"), known),
            back=shown(c, found.default),
            is_own=c.name in own,
            span=span(c, value),
        )
        if _binds(c, found.bound):
            word = "Floor" if c.kind.is_floor else "Ceiling"
            line = replace(
                line, lock=(f"{word}: {shown(c, found.bound)}", "It binds this value too."),
                scale=_scale(c, found.bound, found.effective), refused=_refused(section, c, bounds),
            )  # fmt: skip
        lines.append(line)
    return lines


def of_bounds(section: type[Section], layers: Layers, known: Names) -> list[Line]:
    """Each field that takes a floor or a ceiling, and the one it has."""
    stored = valid_bounds(section, layers)
    lines = []
    for c, found in zip(controls(section), explain(section, layers), strict=True):
        if not can_be_bound(section, c.name):
            continue
        is_set = c.name in stored
        value = stored.get(c.name)
        binds = c.shape != "switch" or value is (c.kind is Kind.FLOOR_BOOL)
        lines.append(
            Line(
                c,
                "here" if is_set else "inherited",
                value if binds else None,
                by=_signed(layers.bound_marks.get(f"{section.key}.{c.name}"), known),
                back="none",
                is_own=is_set,
                span=span(c, stored.get(c.name)),
                extra={"inherited": shown(c, found.inherited), **_WORDS.get(c.kind, _AT_MOST)},
            )
        )
    return lines


def parts_of(lines: list[Line]) -> list[str]:
    """The parts of a section in which something is set here, so that they can be taken back."""
    own = (line.control.part for line in lines if line.is_own and not line.owner)
    return [part for part in dict.fromkeys(own) if part]


def as_typed(lines: list[Line], values: Values, errors: Errors) -> list[Line]:
    """The lines again with what was typed into them, and what was wrong with it."""
    return [
        replace(
            line,
            value=values[name],
            state="changed" if values[name] != line.value else line.state,
            error=errors.get(name, ""),
            span=span(line.control, values[name]),
        )
        if (name := line.control.name) in values
        else replace(line, error=errors.get(name, ""))
        for line in lines
    ]
