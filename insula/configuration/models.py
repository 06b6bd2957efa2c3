"""The document, and how two of them differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insula.clients.models import Status
from insula.config_overrides.masks import all_masked, mask
from insula.configuration.errors import InvalidDocument

_MOST: Final = 1000


class ScopeEntry(BaseModel):
    """A scope; *claims* only where it is the tenant's own and stands for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    description: str = ""
    claims: tuple[str, ...] = ()


class ApiEntry(BaseModel):
    """An API, its scopes by name; *settings* that are not given are as built in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: dict[str, Any] = Field(default_factory=dict)
    scopes: dict[str, ScopeEntry] = Field(default_factory=dict)


class ClientEntry(BaseModel):
    """An application; *metadata* that is not given is as built in. Secrets are never in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    status: Status = "active"
    metadata: dict[str, Any] = Field(default_factory=dict)


class Document(BaseModel):
    """
    What a tenant's administrators decide. A part that is missing is not touched.

    *settings* by section and field; *claims* the attribute by claim; *apis* by identifier;
    *scopes* of the tenant's own by name; *clients* by client_id, but for those that registered
    themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, dict[str, Any]] | None = None
    claims: dict[str, str] | None = Field(None, max_length=_MOST)
    apis: dict[str, ApiEntry] | None = Field(None, max_length=_MOST)
    scopes: dict[str, ScopeEntry] | None = Field(None, max_length=_MOST)
    clients: dict[str, ClientEntry] | None = Field(None, max_length=_MOST)

    def masked(self) -> "Document":
        """The same as it may be shown: of the secrets among its settings there are masks."""
        if self.settings is None:
            return self
        return self.model_copy(update={"settings": all_masked(self.settings)})

    def plain(self) -> dict[str, Any]:
        """As JSON, with the parts that are there and what is not as built in."""
        whole = self.model_dump(mode="json", exclude_none=True)
        for entry in [*whole.get("clients", {}).values(), *whole.get("apis", {}).values()]:
            for name in ("metadata", "settings", "scopes"):
                if entry.get(name) == {}:
                    del entry[name]
        return whole


@dataclass(frozen=True, slots=True)
class Difference:
    """One value in which two documents differ, for showing; None where there is none."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """A line for people: what is added, taken away or changed."""
        if self.before is None:
            return f"+ {self.path}: {_shown(self.after)}"
        if self.after is None:
            return f"- {self.path}: {_shown(self.before)}"
        return f"~ {self.path}: {_shown(self.before)} → {_shown(self.after)}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value) if value != "" else '""'


def parse_document(values: object) -> Document:
    """Read a document from outside. Raises `InvalidDocument` naming the place."""
    try:
        return Document.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(map(str, first["loc"]))
        raise InvalidDocument(str(first["msg"]), field=place) from error


def differences(before: Document, after: Document) -> list[Difference]:
    """What *after* would change, in the parts that it has."""
    old, new = before.plain(), after.plain()
    found: list[Difference] = []
    for part in new:
        flat_old, flat_new = dict(_flat(old.get(part, {}), part)), dict(_flat(new[part], part))
        found += [
            Difference(path, mask(flat_old.get(path)), mask(flat_new.get(path)))
            for path in sorted({*flat_old, *flat_new})
            if flat_old.get(path) != flat_new.get(path)
        ]
    return found


def _flat(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        place = f"{path}/{name}"
        if isinstance(inner, Mapping) and inner and name != "jwks":
            yield from _flat(inner, place)
        else:
            yield place, inner
