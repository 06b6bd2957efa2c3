"""Consent: what a person has allowed a client, per client and scope (OIDCC-3.1.2.4)."""

from typing import Any

from insula.oidc.features.scopes import OPTIONAL
from insula.oidc.models import Client, Features, Scopes

PARAMETERS: frozenset[str] = frozenset()


def metadata(_features: Features) -> dict[str, Any]:
    return {}


_NOTHING: Scopes = frozenset()


def is_of_the_person(client: Client) -> bool:
    """
    Whether it is the person who decides what *client* gets.

    That of a client that registered itself always is, until somebody has verified it (AZ-19).
    """
    return client.consent == "ask" or is_stranger(client)


def is_stranger(client: Client) -> bool:
    """Whether a client registered itself, and nobody has verified it since."""
    return client.is_dynamic and not client.is_verified


def consent_needed(
    wanted: Scopes,
    client: Client,
    prompts: frozenset[str],
    *,
    granted: Scopes | None,
    consented: Scopes | None,
) -> bool:
    """
    Decide whether the person must be asked.

    *granted* is what was allowed before, *consented* what was allowed in this interaction.
    `prompt=consent` asks once per interaction whoever the client is (OC-5), and so does a client
    that registered itself, until somebody has verified it: what was allowed before, it may have
    got by a name that it borrowed (AZ-19).
    """
    if (is_stranger(client) or "consent" in prompts) and consented is None:
        return True
    if not is_of_the_person(client):
        return False
    if granted is None and consented is None:
        return True
    covered = (granted or _NOTHING) | (consented or _NOTHING)
    return not (wanted if consented is None else wanted - OPTIONAL) <= covered


def as_allowed(scopes: Scopes, consented: Scopes | None) -> Scopes:
    """Leave out what the person left out just now."""
    if consented is None:
        return scopes
    return frozenset(s for s in scopes if s not in OPTIONAL or s in consented)
