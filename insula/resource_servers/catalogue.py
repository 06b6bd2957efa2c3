"""What a provider needs to know of a tenant's APIs, scopes and claims, out of stored rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from insula.oidc.features.scopes import OF_A_PERSON, STANDARD
from insula.oidc.models import ResourceServer
from insula.resource_servers.errors import InvalidResource
from insula.resource_servers.models import settings_of

#: A row as JSON: the columns of its table by name, ids as text.
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    All of it.

    *resources* by identifier; *scopes* with the claims that each stands for, those of OpenID
    Connect first; *texts* title and description of a tenant's own scopes; *mappings* the attribute
    by claim. *scopes_since* and *resources_since* say when those of the tenant's own were made, in
    seconds since 1970.
    """

    resources: Mapping[str, ResourceServer] = field(default_factory=dict)
    scopes: Mapping[str, Sequence[str]] = field(default_factory=lambda: dict(STANDARD))
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    mappings: Mapping[str, str] = field(default_factory=dict)
    scopes_since: Mapping[str, float] = field(default_factory=dict)
    resources_since: Mapping[str, float] = field(default_factory=dict)

    def meant_scopes(self, names: Iterable[str], given_at: float) -> frozenset[str]:
        """
        Those of *names* that were meant when somebody gave them at *given_at*.

        One that was deleted since, and made again, is another that has the same name.
        """
        return frozenset(n for n in names if self.scopes_since.get(n, 0) <= given_at)

    def meant_resources(self, identifiers: Iterable[str], given_at: float) -> tuple[str, ...]:
        """Those of *identifiers* that were meant when somebody gave them; as `meant_scopes`."""
        return tuple(i for i in identifiers if self.resources_since.get(i, 0) <= given_at)

    def offering(self, offered: Collection[str]) -> "Catalogue":
        """The same without those scopes of OpenID Connect that are not among *offered*."""
        withheld = OF_A_PERSON.difference(offered)
        if not withheld:
            return self
        left = {name: claims for name, claims in self.scopes.items() if name not in withheld}
        return replace(self, scopes=left)


def read_catalogue(
    servers: Iterable[Record], scopes: Iterable[Record], mappings: Iterable[Record]
) -> Catalogue:
    """
    Put rows together.

    *servers* have id, identifier, name, settings and created_at; *scopes* resource_server_id, name,
    title, description, claims and created_at; *mappings* claim and attribute.
    """
    rows, own = list(servers), sorted(scopes, key=lambda scope: str(scope["name"]))
    resources = resources_of(rows, own)
    homes = {None, *(str(row["id"]) for row in rows if row["identifier"] in resources)}
    known = [scope for scope in own if _home(scope) in homes]
    return Catalogue(
        resources=resources,
        scopes={**STANDARD, **{scope["name"]: tuple(scope["claims"] or ()) for scope in known}},
        texts={scope["name"]: (scope["title"], scope["description"]) for scope in known},
        mappings={each["claim"]: each["attribute"] for each in mappings},
        scopes_since={scope["name"]: _since(scope) for scope in own},
        resources_since={row["identifier"]: _since(row) for row in rows},
    )


def _since(row: Record) -> float:
    return datetime.fromisoformat(row["created_at"]).timestamp()


def _home(scope: Record) -> str | None:
    """The id of the resource server that a scope is of."""
    home = scope["resource_server_id"]
    return None if home is None else str(home)


def resources_of(
    servers: Iterable[Record], scopes: Iterable[Record]
) -> Mapping[str, ResourceServer]:
    """
    Read the resource servers by identifier, each with the scopes that are its own.

    One whose settings only another release understands is left out: no tokens rather than weaker
    ones, and for it alone.
    """
    names: dict[str, set[str]] = {}
    for scope in scopes:
        if (home := _home(scope)) is not None:
            names.setdefault(home, set()).add(scope["name"])
    found: dict[str, ResourceServer] = {}
    for row in sorted(servers, key=lambda row: str(row["identifier"])):
        with suppress(InvalidResource):
            found[row["identifier"]] = _resource(row, frozenset(names.get(str(row["id"]), ())))
    return found


def _resource(row: Record, scopes: frozenset[str]) -> ResourceServer:
    values = settings_of(row["settings"]).model_dump()
    values["introspection_clients"] = frozenset(values["introspection_clients"])
    return ResourceServer(identifier=row["identifier"], name=row["name"], scopes=scopes, **values)
