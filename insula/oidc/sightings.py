"""
What clients are seen to know of the issuer's keys.

A key set is fetched by nobody in particular, and who verifies what never tells. So we say what we
see, in passing, to a host that may remember it: who proved itself from where, from where the keys
were fetched, and which key had signed the token that a client brought.
"""

import json
from base64 import urlsafe_b64decode
from functools import lru_cache
from typing import Protocol

from insula.oidc.http import Request
from insula.oidc.models import Client


class Sightings(Protocol):
    """Takes note and returns at once; nothing is decided by it here."""

    def met(self, client: Client, place: str) -> None:
        """A client proved itself from *place*: an address, or the origin of a page."""

    def fetched(self, place: str) -> None:
        """The keys were fetched from *place*."""

    def presented(self, client: Client, kid: str) -> None:
        """A client brought a token that was found good, which the key *kid* had signed."""


class Blind:
    """Sees nothing."""

    def met(self, client: Client, place: str) -> None:
        """Not remembered."""

    def fetched(self, place: str) -> None:
        """Not remembered."""

    def presented(self, client: Client, kid: str) -> None:
        """Not remembered."""


def note_proof(sightings: Sightings, client: Client, request: Request) -> None:
    """Say from where a client proved itself: a page by its registered origin, else an address."""
    if not client.is_public:
        place = request.address
    else:
        origin = request.header(b"origin") or ""
        place = origin if origin in client.allowed_origins else ""
    if place:
        sightings.met(client, place)


def note_fetch(sightings: Sightings, request: Request) -> None:
    """Say from where the keys were fetched: what a page fetches comes with its origin."""
    place = request.header(b"origin") or request.address
    if place and request.method == "GET":
        sightings.fetched(place)


def note_token(sightings: Sightings, client: Client, token: str) -> None:
    """Say by which key a token was signed that a client brought and that was found good."""
    kid = _kid_of(token.partition(".")[0])
    if kid:
        sightings.presented(client, kid)


@lru_cache(1024)  # heads differ by key and type alone
def _kid_of(head: str) -> str:
    """The key that a head names; empty for a token without one, as those that say nothing are."""
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return ""
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else ""
