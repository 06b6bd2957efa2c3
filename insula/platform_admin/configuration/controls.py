"""A control for each field of a section, made from its type alone, and what was typed into it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from insula.config_overrides.models import Values
from insula.kernel.settings import MASK, Colour, Kind, Part, Section, Unit

Shape = Literal["switch", "number", "choice", "set", "colour", "image", "secret", "text"]
Errors = dict[str, str]

#: What sections are called, where their key does not say it well.
_TITLES: Final[Mapping[str, str]] = {
    "features.developer_api": "Management API",
    "integrations.urls": "Links",
    "keys.rotation": "Key rotation",
    "logs": "Record",
    "oidc.consent": "Consent",
    "oidc.features": "Protocol features",
    "oidc.refresh": "Refresh tokens",
    "oidc.registration": "Self-registration",
    "oidc.scopes": "Scopes",
    "oidc.ttl": "Token lifetimes",
    "security.admin_session": "Administrator sessions",
    "security.brute_force": "Guessing",
    "security.interaction": "Unfinished sign-ins",
    "security.password": "Passwords",
    "security.session": "Sessions",
    "security.sudo": "Proof of identity",
}
_UNITS: Final = ("seconds", "minutes", "hours", "days")
_CAPITALS: Final = frozenset({"id", "ip", "jwt", "op", "par", "pkce", "tos", "uri"})
_SPELLED: Final = {"dpop": "DPoP", "color": "colour", "userinfo": "Userinfo"}
_NAMES: Final = {"icon_url": "Site icon", "font_mono": "Font of codes"}
#: Fields whose names begin with where they stand.
_PLACED: Final = re.compile(r"palette_(light|dark)_(.+)\Z")
_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_SPANS: Final = (("day", 86400), ("hour", 3600), ("minute", 60))
_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")
_DIGITS: Final = re.compile(r"-?[0-9]+\Z")
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Control:
    """
    How one field is set. *low* and *high* are limits of a number, *longest* of a text.

    *part* can be taken back alone; what has a *fold* stands behind that title, under its *head*.
    *is_derived* is a colour that follows from others while it is empty.
    """

    name: str
    label: str
    help: str
    shape: Shape
    kind: Kind
    unit: str = ""
    low: int | None = None
    high: int | None = None
    longest: int | None = None
    choices: tuple[str, ...] = ()
    part: str = ""
    fold: str = ""
    head: str = ""
    is_derived: bool = False


def title(section: type[Section]) -> str:
    """What a section is called in a menu."""
    return _TITLES.get(section.key, section.key.replace(".", " ").capitalize())


def about(section: type[Section]) -> str:
    return (section.__doc__ or "").strip().partition("\n")[0].replace("`", "")


def controls(section: type[Section]) -> list[Control]:
    return [control(section, name) for name in section.model_fields]


def control(section: type[Section], name: str) -> Control:
    info = section.model_fields[name]
    default, choices = info.get_default(), section.choices(name)
    limits = {
        limit: getattr(mark, limit)
        for mark in info.metadata
        for limit in ("ge", "le", "max_length")
        if hasattr(mark, limit)
    }
    unit = _unit(info.metadata, name)
    part = section.part(name) or Part("")
    return Control(
        name,
        label(name.removesuffix(f"_{unit}")),
        (info.description or "").replace("`", ""),
        _shape(section, name, default, choices),
        section.kind(name),
        unit,
        limits.get("ge"),
        limits.get("le"),
        limits.get("max_length"),
        tuple(str(choice) for choice in choices),
        part.name,
        part.fold,
        part.head,
        is_derived=any(isinstance(mark, Colour) and mark.derived for mark in info.metadata),
    )


def _unit(marks: Iterable[object], name: str) -> str:
    told = next((mark.name for mark in marks if isinstance(mark, Unit)), "")
    return told or next((unit for unit in _UNITS if name.endswith(f"_{unit}")), "")


def _shape(section: type[Section], name: str, default: object, choices: tuple[Any, ...]) -> Shape:
    if name in section.secrets():
        return "secret"
    if name in section.images():
        return "image"
    if isinstance(default, bool):
        return "switch"
    if isinstance(default, int):
        return "number"
    if choices:
        return "set" if isinstance(default, tuple) else "choice"
    marks = section.model_fields[name].metadata
    return "colour" if any(isinstance(mark, Colour) for mark in marks) else "text"


def label(name: str) -> str:
    """The name of a field as a person reads it."""
    if name in _NAMES:
        return _NAMES[name]
    placed = _PLACED.match(name)
    if placed:
        return f"{label(placed[2])}, {placed[1]}"
    words = [
        word.upper() if word in _CAPITALS else _SPELLED.get(word, word) for word in name.split("_")
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def span(field: Control, value: object) -> str:
    """
    What a number means: a long time in the largest unit that fits it whole, no limit at all.

    Nothing where that says no more.
    """
    if value == 0 and field.kind is Kind.CEIL_MAX0:
        return "unlimited"
    if field.unit not in _SECONDS or not isinstance(value, int) or value <= 0:
        return ""
    seconds = value * _SECONDS[field.unit]
    for name, length in _SPANS:
        if seconds % length == 0 and seconds // length >= 1:
            n = seconds // length
            return "" if f"{name}s" == field.unit else f"{n:,} {name}{'' if n == 1 else 's'}"
    return ""


def shown(field: Control, value: object) -> str:
    """A value in words, as a diff or a sentence has it."""
    if value is None:
        return "none"
    if field.shape == "secret":
        return MASK if value else "empty"
    if field.shape == "image" and value:
        return f"image {str(value).rpartition('/')[2][:12]}"
    if isinstance(value, int):
        return _in_words(field, value)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text or ("derived" if field.is_derived else "empty")


def moves(section: type[Section], pairs: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """What values of fields become, before and after, in words."""
    return [
        f"{c.label}: {shown(c, before)} becomes {shown(c, after)}"
        for c, (before, after) in ((control(section, name), pair) for name, pair in pairs.items())
    ]


def _in_words(field: Control, value: int) -> str:
    """A switch or a number."""
    if isinstance(value, bool):
        return "on" if value else "off"
    long = span(field, value)
    if value == 0 and long:
        return long
    one = field.unit.removesuffix("s") if value == 1 else field.unit
    said = f"{value:,} {one}".strip()
    return f"{said} = {long}" if long else said


def picker(value: object, derived: str = "") -> str:
    """What a native colour input holds for a text; it knows no empty one."""
    text = str(value)
    return text.lower() if _HEX.match(text) else derived or "#888888"


def typed(
    section: type[Section], form: Mapping[str, list[str]], *, may_be_empty: bool = False
) -> tuple[dict[str, Any], Errors]:
    """
    What a form says of the fields that it holds, and what is wrong with that.

    A switch that is off sends nothing, nor does a list without choices, so the form names its
    fields. With *may_be_empty* an empty number, choice or list is None: no bound.
    """
    values: dict[str, Any] = {}
    errors: Errors = {}
    for name in _text(form, "fields").split(","):
        if name not in section.model_fields:
            continue
        field = control(section, name)
        if field.shape == "set":
            values[name] = _chosen(field, form) or (None if may_be_empty else [])
            continue
        if name not in form and (may_be_empty or field.shape != "switch"):
            continue
        text = _text(form, name).strip()
        if may_be_empty and text == "":
            values[name] = None
        elif field.shape == "switch":
            values[name] = text in ("1", "on", "true")
        elif field.shape == "number":
            values[name], problem = _number(text, field)
            errors.update({name: problem} if problem else {})
        else:
            values[name] = _colour(form, name, text) if field.shape == "colour" else text
    return values, errors


def _text(form: Mapping[str, list[str]], name: str) -> str:
    found = form.get(name, [])
    return found[0] if len(found) == 1 else ""


def _chosen(field: Control, form: Mapping[str, list[str]]) -> list[str]:
    """What of a list is marked, in the order of its choices; what else was sent comes last."""
    sent = form.get(field.name, [])
    known = [choice for choice in field.choices if choice in sent]
    return [*known, *(each for each in sent if each not in field.choices)]


def _number(text: str, field: Control) -> tuple[Any, str]:
    if not _DIGITS.match(text):
        return text, "A whole number." if text else "Enter a number."
    digits = text.lstrip("-0")
    if len(digits) <= _MOST_DIGITS:
        number = int(digits or "0")
        return -number if text.startswith("-") else number, ""
    word, limit = ("least", field.low) if text.startswith("-") else ("most", field.high)
    said = f"At {word} {limit:,}." if limit is not None else f"At most {_MOST_DIGITS} digits."
    return text, said


def _colour(form: Mapping[str, list[str]], name: str, text: str) -> str:
    """The text of a colour, unless only the native input beside it was touched."""
    picked, was = _text(form, f"{name}.picked"), _text(form, f"{name}.was")
    held = picker(was, _text(form, f"{name}.derived"))
    return picked if picked and picked != held and text == was else text


def mistakes(section: type[Section], before: Values, changes: Values) -> Errors:
    """What a section that held *before* refuses of *changes*, by field, as sentences."""
    try:
        judged = section.model_validate({**before, **changes})
    except ValidationError as error:
        found: Errors = {}
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else ""
            if name in changes:
                found.setdefault(name, _sentence(each["type"], each["msg"], each.get("ctx", {})))
        return found
    # the field to change may be another one than was changed
    clashes = judged.new_clashes(_held(section, before))
    return {name: _sentence("", text, {}) for name, text in clashes}


def _held(section: type[Section], values: Values) -> Section:
    """A section as it stands, or as it is built in where that cannot be read."""
    try:
        return section.model_validate(dict(values))
    except ValidationError:
        return section()


def _sentence(kind: str, said: str, facts: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"At least {facts['ge']:,}."
        case "less_than_equal":
            return f"At most {facts['le']:,}."
        case "string_too_long":
            return f"At most {facts['max_length']} characters."
        case "literal_error":
            return f"One of {facts['expected']}."
    text = said.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
