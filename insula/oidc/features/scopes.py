"""
Scopes: what a client may ask for, and what it gets (RFC6749-3.3, OIDCC-5.4).

Unknown words are ignored at the authorization endpoint while a known one remains, and
refused everywhere else. `offline_access` is never an error: it counts or it is dropped
(OIDCC-11).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from insula.oidc.errors import InvalidScope
from insula.oidc.models import Client, Features, Scopes

PARAMETERS = frozenset({"scope"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


OPENID = "openid"
OFFLINE = "offline_access"

#: The scopes of OpenID Connect, with the claims that each stands for.
STANDARD: Mapping[str, Sequence[str]] = {
    OPENID: ("sub",),
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    OFFLINE: (),
}

#: They speak of a person, so a client that acts for itself cannot have them.
OF_A_PERSON: Scopes = frozenset(STANDARD)

#: What the person may leave out on the consent page.
OPTIONAL: Scopes = frozenset({OFFLINE})


def asked_for(params: Mapping[str, str]) -> Scopes:
    """The words of `scope`: spaces alone part them (RFC6749-3.3)."""
    return frozenset(params.get("scope", "").split(" ")) - {""}


def read_scopes(params: Mapping[str, str], client: Client, known: Iterable[str]) -> Scopes:
    """Read the scopes of an authorization request (AZ-7)."""
    words = asked_for(params)
    asked = words.intersection(known)
    may_stay_offline = OFFLINE in client.scopes and "refresh_token" in client.grant_types
    if not may_stay_offline:
        asked -= {OFFLINE}
    if not asked - {OFFLINE}:  # which adds to others, and is nothing by itself
        if not words <= {OFFLINE}:
            raise InvalidScope("None of the scopes is known")
        asked |= client.default_scopes.intersection(known)
    if not asked - {OFFLINE}:
        raise InvalidScope("scope is missing and the client has no default")
    if not asked <= client.scopes:
        raise InvalidScope("The client may not ask for one of the scopes")
    return asked


def read_device_scopes(params: Mapping[str, str], client: Client, known: Iterable[str]) -> Scopes:
    """
    Read the scopes that a device asks for; a word that is unknown is refused (DV-1).

    The person decides on a page, so `offline_access` counts if the client may have it.
    """
    asked = asked_for(params) or client.default_scopes.intersection(known)
    if OFFLINE not in known or "refresh_token" not in client.grant_types:
        asked -= {OFFLINE}
    if not asked:
        raise InvalidScope("scope is missing and the client has no default")
    if not asked <= client.scopes or not asked.issubset(known):
        raise InvalidScope("The client may not ask for one of the scopes")
    return asked


def without_unfounded_offline_access(
    scopes: Scopes, client: Client, prompts: frozenset[str], granted: Scopes | None
) -> Scopes:
    """Drop `offline_access` unless someone decides on it or did before (OIDCC-11)."""
    counts = "consent" in prompts or client.consent == "skip" or (granted and OFFLINE in granted)
    return scopes if counts else scopes - {OFFLINE}


def read_narrower(params: Mapping[str, str], granted: Scopes, left: Scopes) -> Scopes:
    """
    Read the scopes of a refresh: fewer than were *granted*, never others (RFC6749-6).

    Of what it asks for it gets what is *left*, since a client may repeat what it was granted.
    """
    asked = asked_for(params)
    if not asked <= granted:
        raise InvalidScope("scope goes beyond what was granted")
    if asked and not asked & left:
        raise InvalidScope("Nothing of scope is there any more")
    return (asked or granted) & left


def still_there(granted: Scopes, client: Client, known: Iterable[str]) -> Scopes:
    """Leave out of a grant what its client or the issuer has lost since."""
    return (granted & client.scopes).intersection(known)


def read_own_scopes(params: Mapping[str, str], client: Client) -> Scopes:
    """Read the scopes that a client asks for itself: its own list, no person's (TK-8)."""
    own = client.scopes - OF_A_PERSON
    asked = asked_for(params)
    if not asked:
        return (client.default_scopes & own) or own
    if not asked <= own:
        raise InvalidScope("The client may not have one of the scopes for itself")
    return asked


def in_order(scopes: Scopes, known: Iterable[str]) -> tuple[str, ...]:
    """Sort as the issuer lists them, a client's own after them: everything reads the same."""
    listed = [scope for scope in known if scope in scopes]
    return (*listed, *sorted(scopes.difference(listed)))
