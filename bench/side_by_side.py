"""The flows against us and against others, in turns, so that all meet the same weather."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from bench import bare
from bench.bare import Bare
from bench.flows import Flows, Provider, documents
from bench.load import Load, Make, Result, prepared

_DISCOVERY = "/.well-known/openid-configuration"
_FEW = 10
#: How often each server comes on in a flow, and seconds before what is counted: at first enough
#: for JavaScript, which is compiled as it runs.
_TURNS, _WARM_UP, _AGAIN = 4, 2.0, 0.25


@dataclass(frozen=True, slots=True)
class Compared:
    """One flow: ours, the peer's where there is one, and HTTP alone where that is the measure."""

    name: str
    ours: Result
    peer: Result | None = None
    bare: Result | None = None

    @property
    def times(self) -> float | None:
        """How many times the peer we are."""
        return self.ours.per_second / self.peer.per_second if self.peer else None

    @property
    def of_bare(self) -> float | None:
        """Our share of what HTTP alone allows."""
        return self.ours.per_second / self.bare.per_second if self.bare else None


@dataclass(frozen=True, slots=True)
class Servers:
    """Who is measured; only one of them is under load at a time."""

    ours: Provider
    peer: Provider | None
    bare: Bare


async def measure_all(
    servers: Servers, slugs: list[str], seconds: float
) -> AsyncIterator[Compared]:
    """Every flow; *slugs* are the tenants there are, *seconds* what each server gets of a flow."""
    for name, make in _documents(slugs).items():
        loads = await _loads(servers, slugs[0], make)
        alone = documents(servers.bare, [bare.HOST], "/")
        loads["bare"] = await prepared(servers.bare, alone)
        yield Compared(name, **await _in_turns(loads, seconds))
    for name, make in FLOWS.items():
        yield Compared(name, **await _in_turns(await _loads(servers, slugs[0], make), seconds))


async def _loads(servers: Servers, slug: str, make: Callable[[Flows], Make]) -> dict[str, Load]:
    """The flow at ours, and at the peer if there is one."""
    providers = {"ours": servers.ours}
    if servers.peer is not None:
        providers["peer"] = servers.peer
    return {
        who: await prepared(provider, make(Flows(provider, slug)))
        for who, provider in providers.items()
    }


async def _in_turns(loads: Mapping[str, Load], seconds: float) -> dict[str, Result]:
    """Run each for a part of its time, again and again, always one alone."""
    for turn in range(_TURNS):
        for load in loads.values():
            await load.run(seconds / _TURNS, _AGAIN if turn else _WARM_UP)
    for load in loads.values():
        load.close()
    return {who: load.result() for who, load in loads.items()}


def _documents(slugs: list[str]) -> dict[str, Callable[[Flows], Make]]:
    few = slugs[:_FEW]
    found: dict[str, Callable[[Flows], Make]] = {
        f"discovery, {_FEW} tenants in turn": lambda flows: flows.document(_DISCOVERY, few),
        f"JWKS, {_FEW} tenants in turn": lambda flows: flows.document("/oauth2/jwks", few),
    }
    if len(slugs) > _FEW:
        many = f"discovery, {len(slugs):,} tenants in turn"
        return {many: lambda flows: flows.document(_DISCOVERY, slugs), **found}
    return found


FLOWS: dict[str, Callable[[Flows], Make]] = {
    "client_credentials, ES256 JWT": lambda flows: flows.client_credentials,
    "code + token + userinfo, id_token RS256": lambda flows: flows.code("rs256"),
    "code + token + userinfo, id_token ES256": lambda flows: flows.code("es256"),
    "refresh with rotation, id_token RS256": lambda flows: flows.refresh("rs256"),
    "refresh with rotation, id_token ES256": lambda flows: flows.refresh("es256"),
    "userinfo": lambda flows: flows.userinfo,
    "introspection": lambda flows: flows.introspection,
    "pushed authorization request": lambda flows: flows.par,
    "client_credentials with a DPoP proof": lambda flows: flows.dpop_client_credentials,
    "userinfo with a DPoP proof": lambda flows: flows.dpop_userinfo,
    "whole sign-in with password hash": lambda flows: flows.sign_in,
}
