"""Which applications a change of the protocol's features would shut out (BEY-3)."""

from typing import Final

from insula.clients.reliance import service as reliance
from insula.config_overrides.impacts import MOST, NAMED, Impact
from insula.providers.settings import ProtocolFeatures
from insula.tenancy.db import Connection

#: By field and the value that it would have: what applications rely on, and what becomes of them.
_SHUTS_OUT: Final = {
    ("device", False): ("device", "use the device grant, and would be refused"),
    ("token_exchange", False): ("token_exchange", "exchange tokens, and would be refused"),
    ("client_credentials", False): (
        "client_credentials", "get tokens for themselves, and would be refused",
    ),
    ("front_channel_tokens", False): (
        "front_channel", "take tokens straight from the browser, and would be refused",
    ),
    ("request_objects", False): (
        "request_objects", "sign their requests or point to them, and would be refused",
    ),
    ("par", False): ("par", "must push their requests ahead, and could not any more"),
    ("dpop", False): ("dpop", "must bind their tokens to a key, and could not any more"),
    ("backchannel_logout", False): (
        "backchannel_logout", "would not be told of a sign-out, server to server",
    ),
    ("frontchannel_logout", False): (
        "frontchannel_logout", "would not be told of a sign-out, in the browser",
    ),
    ("require_par", True): (
        "no_par", "need not push their requests ahead today, and would be refused if they do not",
    ),
    ("require_pkce", True): (
        "no_pkce", "need no PKCE today, and would be refused if they do not use it",
    ),
    ("require_signed_request", True): (
        "no_signature", "need not sign their requests today, and would be refused if they do not",
    ),
    ("require_dpop", True): (
        "no_dpop", "need not bind their tokens to a key today, and would be refused if they do not",
    ),
}  # fmt: skip


async def of_features(
    db: Connection,
    before: ProtocolFeatures,
    after: ProtocolFeatures,
    names: bool,  # noqa: FBT001  (a counter is called by the catalogue alone)
) -> list[Impact]:
    """Count the applications of the bound tenant that rely on what would change."""
    found = []
    for (field, value), (on, text) in _SHUTS_OUT.items():
        if getattr(after, field) == value != getattr(before, field):
            affected, total, named = await reliance.relying(
                db, on, most=MOST + 1, named=NAMED if names else 0
            )
            found.append(
                Impact(
                    f"{ProtocolFeatures.key}.{field}", "application", text,
                    min(affected, MOST), min(total, MOST), total <= MOST, named,
                )
            )  # fmt: skip
    return found
