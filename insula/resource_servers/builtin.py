"""
The management API as every tenant has it: an API that no row names (features.md Z02).

Its audience stands on the tenant's own host, and its scopes are the product's. A client may use
it that was given one of them by name; nothing gives them to anybody by default.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from insula.oidc.models import ResourceServer
from insula.resource_servers.catalogue import Catalogue
from insula.resource_servers.errors import ScopesNotHeld
from insula.resource_servers.models import SYSTEM_SCOPES
from insula.resource_servers.settings import DeveloperApi
from insula.tenancy.db import Tenant
from insula.tenancy.models import PLATFORMS

#: Where it stands on a tenant's host.
PATH: Final = "/api/v1"
#: The longest life in seconds of a token that may do this much (features.md Z02).
_LONGEST: Final = {"read": 3600, "write": 1800, "delete": 900}
_TITLES: Final = {"read": "See", "write": "Change", "delete": "Delete or end"}

#: What there is routes for, by the word that scopes have for it: its name and what may be done.
_OF_A_TENANT: Final[Mapping[str, tuple[str, str]]] = {
    "users": ("people and their roles", "read write"),
    "clients": ("applications and APIs", "read write delete"),
    "sessions": ("sessions", "read delete"),
    "grants": ("what people have allowed", "read delete"),
    "keys": ("signing keys", "read write delete"),
    "settings": ("settings and the configuration as a whole", "read write"),
    "audit": ("the audit log", "read"),
    "stats": ("figures", "read"),
}
_ACROSS: Final[Mapping[str, tuple[str, str]]] = {
    "tenants": ("tenants", "read write delete"),
    "cross-tenant": ("what is inside tenants", "read write"),
}


def _texts(kinds: Mapping[str, tuple[str, str]]) -> Mapping[str, tuple[str, str]]:
    return {
        f"{SYSTEM_SCOPES}{word}:{verb}": (
            f"{_TITLES[verb]} {name}",
            "For administrators, over the management API.",
        )
        for word, (name, verbs) in kinds.items()
        for verb in verbs.split()
    }


#: Title and description by scope: those of each tenant, and those of `_platforms` alone.
TENANT_SCOPES: Final = MappingProxyType(_texts(_OF_A_TENANT))
ACROSS_SCOPES: Final = MappingProxyType(_texts(_ACROSS))
_ALL: Final = MappingProxyType({**TENANT_SCOPES, **ACROSS_SCOPES})
_LIVES: Final = MappingProxyType({scope: _LONGEST[scope.rpartition(":")[2]] for scope in _ALL})


def audience(issuer: str) -> str:
    """By which name tokens of *issuer* are for its management API."""
    return issuer + PATH


def scopes_of(slug: str) -> Mapping[str, tuple[str, str]]:
    """Title and description of each scope of a tenant's management API."""
    return _ALL if slug == PLATFORMS else TENANT_SCOPES


def answers(slug: str, decided: DeveloperApi) -> bool:
    """
    Whether a tenant's management API answers.

    That of the installation's own tenants always does: who switched it off for all could not go
    back by it, and the walls between tenants are tried through it.
    """
    return decided.enabled or slug.startswith("_")


def with_management_api(catalogue: Catalogue, tenant: Tenant, decided: DeveloperApi) -> Catalogue:
    """Add to what a tenant has chosen what it has anyway, unless its API is switched off."""
    if not answers(tenant.slug, decided):
        return catalogue
    texts = scopes_of(tenant.slug)
    api = ResourceServer(
        identifier=audience(tenant.issuer),
        name="Management API",
        scopes=frozenset(texts),
        longest_lives=_LIVES,
        is_builtin=True,
    )
    return replace(
        catalogue,
        resources={**catalogue.resources, api.identifier: api},
        scopes={**catalogue.scopes, **dict.fromkeys(texts, ())},
        texts={**catalogue.texts, **texts},
    )


def check_power(held: frozenset[str], *scopes: Collection[str]) -> None:
    """
    Let nobody manage a client that may do more over this API than they may themselves.

    Else who may change clients could take whatever a client can be given. Raises `ScopesNotHeld`.
    """
    wanted = {scope for each in scopes for scope in each if scope.startswith(SYSTEM_SCOPES)}
    if not wanted <= held:
        raise ScopesNotHeld("The client holds scopes of this API that the caller has not.")
