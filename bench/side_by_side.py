"""The flows against us and against others, in turns, so that all meet the same weather."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bench import bare
from bench.bare import Bare
from bench.flows import Flows, Provider, documents
from bench.load import Make, Result, measure

_DISCOVERY = "/.well-known/openid-configuration"
_FEW = 10


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
    """Every flow, ours first and at once the others'; *slugs* are the tenants there are."""
    for name, make in _documents(slugs).items():
        yield Compared(
            name,
            await measure(servers.ours, make(Flows(servers.ours, slugs[0])), seconds=seconds),
            await _of_peer(servers, slugs[0], make, seconds),
            await measure(servers.bare, documents([bare.HOST], "/"), seconds=seconds),
        )
    for name, make in FLOWS.items():
        yield Compared(
            name,
            await measure(servers.ours, make(Flows(servers.ours, slugs[0])), seconds=seconds),
            await _of_peer(servers, slugs[0], make, seconds),
        )


async def _of_peer(
    servers: Servers, slug: str, make: Callable[[Flows], Make], seconds: float
) -> Result | None:
    if servers.peer is None:
        return None
    return await measure(servers.peer, make(Flows(servers.peer, slug)), seconds=seconds)


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
