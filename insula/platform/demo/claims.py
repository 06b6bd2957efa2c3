"""Claims in plain words, for people who see a token for the first time."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from insula.platform.demo.tokens import Claims
from insula.ui.pages import moment

_MOMENTS = frozenset({"exp", "iat", "nbf", "auth_time", "updated_at"})
_MEANINGS = {
    "iss": "Who issued it: the tenant",
    "sub": "Who signed in, for ever the same at this tenant",
    "aud": "Whom it is for",
    "azp": "The application it was issued to",
    "client_id": "The application it was issued to",
    "exp": "Until when it may be accepted",
    "iat": "When it was issued",
    "nbf": "Not accepted before",
    "auth_time": "When the person proved who they are",
    "nonce": "Our own random value, so that no older answer fits",
    "at_hash": "Ties it to the access token",
    "acr": "How strong the proof was",
    "amr": "How the person proved it",
    "sid": "The session at the tenant",
    "jti": "The token's own number",
    "scope": "What it permits",
    "name": "Full name",
    "given_name": "First name",
    "family_name": "Last name",
    "preferred_username": "What they sign in as",
    "updated_at": "When the tenant last changed the profile",
    "email": "Address for mail",
    "email_verified": "Whether the tenant has seen a mail arrive there",
    "alg": "How it is signed",
    "kid": "With which of the tenant's keys",
    "typ": "What kind of token it is",
}


class Row(NamedTuple):
    name: str
    value: str
    meaning: str


def rows(claims: Claims) -> list[Row]:
    return [
        Row(name, _shown(name, value), _MEANINGS.get(name, "")) for name, value in claims.items()
    ]


def _shown(name: str, value: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    if name in _MOMENTS and isinstance(value, int | float):
        return f"{value} ({moment(datetime.fromtimestamp(value, UTC))})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
