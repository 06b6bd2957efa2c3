"""
Claims: what is said about a person, where, and the `claims` parameter (OIDCC-5).

Claims of scopes go to userinfo. A claim asked for by name is released where it was asked
for, once the scope that covers it is allowed: so the consent page shows what is shared,
and a client cannot get by name what it may not get by scope.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from insula.oidc.errors import InvalidRequest
from insula.oidc.models import Client, Features, Scopes
from insula.oidc.signing import compact_json

PARAMETERS = frozenset({"claims"})


def metadata(features: Features) -> dict[str, Any]:
    return {
        "claims_parameter_supported": features.claims_parameter,
        "claim_types_supported": ["normal"],
    }


Place = Literal["userinfo", "id_token"]


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """
    What the `claims` parameter asks.

    *subjects* and *acrs* are the only values that anyone is held to: who it must be, and
    which level must be reached (OIDCC-5.5.1.1).
    """

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    subjects: tuple[frozenset[str], ...] = ()
    acrs: tuple[frozenset[str], ...] = ()
    auth_time: bool = False


_NONE = ClaimsRequest()


def read_claims(params: Mapping[str, str], client: Client, features: Features) -> ClaimsRequest:
    raw = params.get("claims")
    if raw is None:
        return _NONE
    if not features.claims_parameter or not client.claims_parameter:
        raise InvalidRequest("claims is not a parameter that this client may use")
    try:
        asked = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest("claims is not JSON") from None
    if not isinstance(asked, dict):
        raise InvalidRequest("claims must be a JSON object")
    userinfo, id_token = _members(asked, "userinfo"), _members(asked, "id_token")
    subjects = (_values(place["sub"]) for place in (userinfo, id_token) if "sub" in place)
    acr = id_token.get("acr", {})
    return ClaimsRequest(
        userinfo=tuple(userinfo),
        id_token=tuple(id_token),
        subjects=tuple(values for values in subjects if values),
        acrs=tuple(values for values in [_values(acr)] if values and acr.get("essential") is True),
        auth_time="auth_time" in id_token,
    )


def _members(asked: dict[str, Any], place: Place) -> dict[str, dict[str, Any]]:
    members = asked.get(place, {})
    if not isinstance(members, dict):
        raise InvalidRequest("claims.userinfo and claims.id_token must be JSON objects")
    if not all(wish is None or isinstance(wish, dict) for wish in members.values()):
        raise InvalidRequest("Each claim must be null or a JSON object")
    return {name: wish or {} for name, wish in members.items()}


def _values(wish: dict[str, Any]) -> frozenset[str]:
    values = wish.get("values", [])
    every = [wish.get("value"), *(values if isinstance(values, list) else [])]
    return frozenset(value for value in every if isinstance(value, str))


def cover(
    request: ClaimsRequest, scopes: Scopes, client: Client, known: Mapping[str, Sequence[str]]
) -> tuple[Scopes, str]:
    """
    Find what must be allowed for the claims asked by name, and what is kept of the request.

    The first is the scopes that cover them, the second canonical JSON, or empty.
    Claims that nobody knows, or that this client may never have, are ignored (OIDCC-5.5.1).
    """
    covering: set[str] = set()
    kept: dict[str, list[str]] = {}
    for place, names in (("id_token", request.id_token), ("userinfo", request.userinfo)):
        for name in sorted(names):
            homes = [scope for scope, claims in known.items() if name in claims and name != "sub"]
            home = next((s for s in homes if s in scopes), None) or next(
                (s for s in homes if s in client.scopes), None
            )
            if home is not None:
                covering.add(home)
                kept.setdefault(place, []).append(name)
    return frozenset(covering), compact_json(kept) if kept else ""


def of_scopes(
    person: Mapping[str, Any], scopes: Iterable[str], known: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Select what these scopes stand for; what a person does not have is left out (UI-5)."""
    return {
        name: person[name] for scope in scopes for name in known.get(scope, ()) if name in person
    }


def by_name(
    person: Mapping[str, Any],
    kept: str,
    place: Place,
    client: Client,
    known: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """
    Select what was asked for by name; *kept* is what `cover` made of the request.

    What no scope of the client covers any more is left out.
    """
    if not kept:
        return {}
    covered = of_scopes(person, client.scopes, known)
    return {name: covered[name] for name in json.loads(kept).get(place, ()) if name in covered}
