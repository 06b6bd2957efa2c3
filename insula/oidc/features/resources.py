"""
Resource indicators, RFC 8707: which API a token is for.

A scope belongs to one resource server or to the issuer, so asking for a scope chooses its
API; `resource` says it outright. A token is for one API and holds the scopes of that one
(RFC9700-2.3). Without either it is for the issuer's own userinfo endpoint.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from insula.oidc.errors import InvalidScope, InvalidTarget
from insula.oidc.models import Client, Features, ResourceServer, Scopes

PARAMETERS = frozenset({"resource"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Target:
    """
    What an access token will be for.

    *resource* is None when that is the issuer itself; *scopes* are those of it alone.
    """

    resource: ResourceServer | None
    scopes: Scopes


def read_resources(
    params: Mapping[str, str],
    client: Client,
    scopes: Scopes,
    known: Mapping[str, ResourceServer],
    issuer: str,
) -> tuple[str, ...]:
    """
    Read the resource servers of an authorization, in the order of their names (RS-1, RS-4).

    The *issuer*'s URL names its own endpoints, which every authorization is for. Raises
    `InvalidTarget`, and `InvalidScope` for a scope of an API that is not among them.
    """
    named = _named(params, client, known, issuer)
    homes = {name for name, server in known.items() if server.scopes & scopes}
    if named is None:
        if not homes <= _usable(client, known).keys():
            raise InvalidScope("The client may not ask for one of the scopes")
        chosen = homes or {client.default_resource} & known.keys()
    elif not homes <= named:
        raise InvalidScope("A scope belongs to none of the resources")
    else:
        chosen = named
    return tuple(sorted(chosen))


def _named(
    params: Mapping[str, str], client: Client, known: Mapping[str, ResourceServer], issuer: str
) -> set[str] | None:
    if "resource" not in params:
        return None
    named = set(params["resource"].split(" ")) - {issuer}  # an empty word is no API either
    if not named <= _usable(client, known).keys():
        raise InvalidTarget("resource is not an API that this client may use")
    return named


def _usable(client: Client, known: Mapping[str, ResourceServer]) -> Mapping[str, ResourceServer]:
    """The APIs that a client may ask tokens for (RS-1)."""
    allowed = client.resources | {client.default_resource}
    return {
        name: server
        for name, server in known.items()
        if name in allowed or (server.is_builtin and server.scopes & client.scopes)
    }


def choose(  # noqa: PLR0913  (as above)
    params: Mapping[str, str],
    client: Client,
    granted: Iterable[str],
    scopes: Scopes,
    known: Mapping[str, ResourceServer],
    issuer: str,
) -> Target:
    """
    Choose what one access token is for, among the resources that were *granted* (RS-2, RS-3).

    Whoever was granted APIs gets a token for userinfo by naming the *issuer*, and only so: raises
    `InvalidTarget` when all that were granted are gone. Raises it too when what is asked for is
    not one of them, or cannot be told.
    """
    names, usable = tuple(granted), _usable(client, known)
    alive = {name: usable[name] for name in names if name in usable}
    asked = params["resource"].split(" ") if "resource" in params else []
    if len(asked) > 1:
        raise InvalidTarget("A token is for one resource; name one")
    if asked == [issuer]:
        return target_of(None, scopes, known)
    if asked and asked[0] not in alive:
        raise InvalidTarget("resource is not among those that were granted")
    if not asked and len(alive) > 1:
        raise InvalidTarget("Several resources were granted; name one")
    if names and not alive:
        raise InvalidTarget("What was granted was for a resource that is not there any more")
    name = asked[0] if asked else next(iter(alive), None)
    return target_of(None if name is None else alive[name], scopes, known)


def refuse_foreign(asked: Scopes, target: Target, known: Mapping[str, ResourceServer]) -> None:
    """Raise `InvalidScope` when scopes were asked for that belong to another API (RS-4)."""
    own: Scopes = frozenset() if target.resource is None else target.resource.scopes
    others: Scopes = frozenset().union(*(server.scopes for server in known.values())) - own
    if asked & others:
        raise InvalidScope("A scope does not belong to the resource")


def target_of(
    resource: ResourceServer | None, scopes: Scopes, known: Mapping[str, ResourceServer]
) -> Target:
    """Cut *scopes* down to those that *resource* understands."""
    of_apis: Scopes = frozenset().union(*(server.scopes for server in known.values()))
    if resource is None:
        return Target(None, scopes - of_apis)
    kept = scopes & resource.scopes
    if resource.with_userinfo:  # RS-5: the issuer is its second audience
        kept |= scopes - of_apis
    return Target(resource, kept)


def read_target(  # noqa: PLR0913  (as above)
    params: Mapping[str, str],
    client: Client,
    scopes: Scopes,
    known: Mapping[str, ResourceServer],
    issuer: str,
    *,
    is_explicit: bool,
) -> Target:
    """
    Choose what a client's own token is for (TK-8, RS-4).

    Scopes that were asked for outright must all be the target's (*is_explicit*); of those that
    the client merely has, the target gets its own. Raises `InvalidTarget`, `InvalidScope`.
    """
    if len(params.get("resource", "").split(" ")) > 1:
        raise InvalidTarget("A token is for one resource; name one")
    named = _named(params, client, known, issuer)
    if named is not None:
        name = next(iter(named), "")  # none left: the issuer itself
    elif is_explicit:
        homes = [name for name, server in known.items() if server.scopes & scopes]
        if len(homes) > 1:
            raise InvalidScope("The scopes belong to several resources; ask for one at a time")
        name = homes[0] if homes else client.default_resource
        if homes and name not in _usable(client, known):
            raise InvalidScope("The client may not have one of the scopes for itself")
    else:
        name = client.default_resource
    target = target_of(known.get(name), scopes, known)
    if is_explicit and target.scopes != scopes:
        raise InvalidScope("A scope does not belong to the resource")
    return target
