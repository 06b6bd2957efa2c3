"""What a save would change, as a review shows it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import BoundViolated, OwnedByGit
from insula.config_overrides.marks import Version, Violation
from insula.config_overrides.models import Layers, Stored, Values
from insula.config_overrides.resolution import explain
from insula.kernel.errors import Invalid
from insula.kernel.settings import MASK, Section
from insula.platform_admin.configuration.controls import Errors, control, label, shown, title
from insula.platform_admin.configuration.lines import Line
from insula.platform_admin.people import Names, who
from insula.ui.pages import ago, day

#: By the beginning of a section's key: what a save of it does besides.
_EFFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "oidc.ttl": ("What was issued before keeps the life that it was given.",),
    "oidc.features": (
        "Discovery tells applications at once; what is switched off is refused from then on.",
    ),
    "oidc.scopes": (
        "Discovery tells applications at once.",
        "What is taken away is given to nobody from then on, and nothing of it is told.",
    ),
    "features.developer_api": (
        "Calls of the management API are answered or refused at once, also with tokens of before.",
    ),
    "oidc.refresh": ("Applications are held to it at once; nobody is signed out by it.",),
    "oidc.registration": ("Applications that are registered stay as they are.",),
    "branding": ("Sign-in pages look so at their next load.",),
    "application": ("Sign-in pages say so at their next load.",),
    "integrations.urls": ("Sign-in pages link there at their next load.",),
    "security.password": ("Passwords that exist stay valid; it counts from the next change.",),
    "security.session": (
        "How many there may be counts from the next sign-in of each person.",
        "Sessions that run are held to it from their next use on.",
    ),
    "security.admin_session": ("Administrators that are signed in are held to it at once.",),
    "deployment": ("Deletions that are scheduled keep the day they were given.",),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a diff."""

    label: str
    place: str
    before: str
    note: str
    after: str


def differing(lines: Iterable[Line], values: Values) -> dict[str, Any]:
    """Which of the typed values are other than those that the form showed."""
    before = {line.control.name: line.value for line in lines}
    return {name: v for name, v in values.items() if name in before and v != before[name]}


def rows(section: type[Section], lines: Iterable[Line], changes: Values) -> list[Row]:
    """The diff of *changes* to a form; None takes a field back."""
    return [
        Row(
            line.control.label,
            f"{section.key}.{line.control.name}",
            shown(line.control, line.value),
            "set here" if line.is_own else line.source,
            line.back if changes[line.control.name] is None
            else shown(line.control, changes[line.control.name]),
        )
        for line in lines
        if line.control.name in changes
    ]  # fmt: skip


def rows_of_documents(
    sections: Iterable[type[Section]], layers: Layers, document: Stored
) -> list[Row]:
    """The diff of everything a tenant has decided against *document*."""
    found = []
    for section in sections:
        own, wanted = layers.own.get(section.key, {}), document.get(section.key, {})
        inherited = {each.name: each.inherited for each in explain(section, layers)}
        for name in section.model_fields:
            is_kept = wanted.get(name) == MASK and name in own and name in section.secrets()
            if own.get(name) != wanted.get(name) and not is_kept:
                c = control(section, name)
                before, after = (
                    shown(c, values[name])
                    if name in values
                    else f"inherited: {shown(c, inherited[name])}"
                    for values in (own, wanted)
                )
                found.append(Row(c.label, f"{section.key}.{name}", before, "", after))
    return found


def effects(section: type[Section]) -> tuple[str, ...]:
    return _EFFECTS.get(section.key, ())


def told_moves(
    section: type[Section], moved: Mapping[str, tuple[Any, Any]]
) -> list[tuple[str, str, str]]:
    """What becomes of inherited values: which, from what, to what."""
    found = []
    for name, (before, after) in moved.items():
        c = control(section, name)
        found.append((c.label, shown(c, before), shown(c, after)))
    return found


def write(changes: object) -> str:
    """Changes as a hidden field carries them from the review to the save."""
    return json.dumps(changes, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """What `write` wrote. Raises `Invalid`."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Invalid("Send the form as the page does.", field="changes")
    return found


def beyond(section: type[Section], violations: Iterable[Violation], known: Names) -> Errors:
    """For each field that lies beyond a bound: which, and whose it is (features.md C05)."""
    found = {}
    for each in violations:
        c = control(section, each.field.rpartition(".")[2])
        word = "at least" if c.kind.is_floor else "at most"
        if c.shape == "switch":
            said = f"The platform keeps this {shown(c, each.bound)}"
        elif c.shape == "set":
            said = f"The platform allows no {', '.join(each.too_many)}"
        elif each.is_unlimited:
            said = f"The platform allows at most {shown(c, each.bound)}, and 0 is unlimited"
        elif c.choices:
            said = f"The platform allows nothing looser than “{each.bound}”"
        else:
            said = f"The platform allows {word} {shown(c, each.bound)}"
        mark = each.mark
        by = f"; set by {who(mark.by, known)}" if mark else ""
        when = f", {day(mark.at)}" if mark and mark.at else ""
        found[c.name] = f"{said}{by}{when}."
    return found


def refused(refusal: Invalid, section: type[Section], known: Names) -> Errors:
    """What a save refused, beside its field."""
    if isinstance(refusal, BoundViolated):
        return beyond(section, refusal.violations, known)
    place = refusal.field or ""
    name = place.removeprefix(f"{section.key}.").partition(".")[0]
    text = refusal.description
    said = f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
    return {name if name in section.model_fields else "": said}


def owned(refusal: OwnedByGit, section: type[Section]) -> Errors:
    """For each field that documents own: what to do."""
    names = [place.removeprefix(f"{section.key}.") for place in refusal.fields]
    return dict.fromkeys(names, "Owned by Git: change the file, or release it with a reason.")


def meanwhile(last: Version | None, known: Names) -> str:
    """Who saved what since the form was read."""
    if last is None:
        return "Somebody has saved this section since you opened it."
    what = ", ".join(label(place.rpartition(".")[2]) for place in last.changed)
    did = "planned a change of" if last.act == "config.change_planned" else "changed"
    text = f"{who(last.by, known)} {did} {what} {ago(last.at)}."
    return text[:1].upper() + text[1:]


def place_of(catalogue: Catalogue, place: str) -> str:
    """The name of a field by its place, such as `oidc.ttl.id_token`."""
    key, _, name = place.rpartition(".")
    if key in catalogue and name in catalogue.get(key).model_fields:
        section = catalogue.get(key)
        return f"{title(section)}: {control(section, name).label}"
    return place.rstrip(".")  # nothing of ours: as it was written


def refused_whole(refusal: Invalid | OwnedByGit, catalogue: Catalogue) -> list[str]:
    """What of many sections a save refused, each with its field."""
    if isinstance(refusal, OwnedByGit):
        return [f"{place_of(catalogue, each)} is owned by Git." for each in refusal.fields]
    if isinstance(refusal, BoundViolated):
        return [
            f"{place_of(catalogue, each.field)} is beyond a bound of the platform."
            for each in refusal.violations
        ]
    place = f"{place_of(catalogue, refusal.field)}: " if refusal.field else ""
    return [f"{place}{refusal.description.rstrip('.')}."]
