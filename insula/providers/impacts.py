"""Which applications a change of what the protocol offers would shut out (BEY-3)."""

from collections.abc import Collection
from typing import Final

from insula.clients.reliance import service as reliance
from insula.config_overrides.impacts import MOST, NAMED, Impact
from insula.providers.settings import ProtocolFeatures
from insula.resource_servers.builtin import scopes_of
from insula.resource_servers.settings import DeveloperApi, OfferedScopes
from insula.tenancy.db import Connection
from insula.tenancy.models import PLATFORMS

#: By field and the value that it would have: what applications rely on, and what becomes of them,
#: in words that fit one and many.
_SHUTS_OUT: Final = {
    ("device", False): ("device", "could not use the device grant any more"),
    ("token_exchange", False): ("token_exchange", "could not exchange tokens any more"),
    ("client_credentials", False): (
        "client_credentials", "could not use the client credentials grant any more",
    ),
    ("front_channel_tokens", False): (
        "front_channel", "could not take tokens straight from the browser any more",
    ),
    ("request_objects", False): (
        "request_objects", "could not sign requests or point to them any more",
    ),
    ("par", False): ("par", "must push requests ahead, and could not any more"),
    ("dpop", False): ("dpop", "must bind tokens to a key, and could not any more"),
    ("backchannel_logout", False): (
        "backchannel_logout", "would not be told of a sign-out, server to server",
    ),
    ("frontchannel_logout", False): (
        "frontchannel_logout", "would not be told of a sign-out, in the browser",
    ),
    ("require_par", True): (
        "no_par", "need not push requests ahead today, and would be refused without it",
    ),
    ("loosest_profile", "standard"): (
        "legacy", "would be held to the profile standard, and get no token from the browser",
    ),
    ("loosest_profile", "oauth21"): (
        "looser", "would be held to the profile oauth21, which asks for PKCE among other things",
    ),
    ("require_pkce", True): (
        "no_pkce", "need not use PKCE today, and would be refused without it",
    ),
    ("require_signed_request", True): (
        "no_signature", "need not sign requests today, and would be refused without it",
    ),
    ("require_dpop", True): (
        "no_dpop", "need not bind tokens to a key today, and would be refused without it",
    ),
}  # fmt: skip


async def of_features(
    db: Connection,
    before: ProtocolFeatures,
    after: ProtocolFeatures,
    names: bool,  # noqa: FBT001  (a counter is called by the catalogue alone)
) -> list[Impact]:
    """Count the applications of the bound tenant that rely on what would change."""
    return [
        await _impact(db, f"{ProtocolFeatures.key}.{field}", on, text, named=NAMED if names else 0)
        for (field, value), (on, text) in _SHUTS_OUT.items()
        if getattr(after, field) == value != getattr(before, field)
    ]


async def of_scopes(
    db: Connection,
    before: OfferedScopes,
    after: OfferedScopes,
    names: bool,  # noqa: FBT001  (a counter is called by the catalogue alone)
) -> list[Impact]:
    """Count the applications of the bound tenant that may have a scope which is taken away."""
    gone = sorted({*before.supported_scopes} - {*after.supported_scopes})
    if not gone:
        return []
    text = "may ask for a scope that they would not be given any more"
    field = f"{OfferedScopes.key}.supported_scopes"
    return [await _impact(db, field, "scopes", text, named=NAMED if names else 0, words=gone)]


async def of_api(
    db: Connection,
    before: DeveloperApi,
    after: DeveloperApi,
    names: bool,  # noqa: FBT001  (a counter is called by the catalogue alone)
) -> list[Impact]:
    """Count the applications of the bound tenant that may call its management API."""
    if after.enabled or not before.enabled:
        return []
    text = "may call the management API, and could not any more"
    named, words = NAMED if names else 0, sorted(scopes_of(PLATFORMS))
    field = f"{DeveloperApi.key}.enabled"
    return [await _impact(db, field, "scopes", text, named=named, words=words)]


async def _impact(  # noqa: PLR0913  (each by its name)
    db: Connection,
    field: str,
    on: str,
    text: str,
    *,
    named: int,
    words: Collection[str] = (),
) -> Impact:
    affected, total, found = await reliance.relying(db, on, most=MOST + 1, named=named, words=words)
    return Impact(
        field, "application", text, min(affected, MOST), min(total, MOST), total <= MOST, found
    )
