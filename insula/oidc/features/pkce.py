"""
Proof Key for Code Exchange, RFC 7636.

An authorization code is bound, when it is issued, to a secret that only the
client which asked for it holds, so a code stolen from the redirect is worth
nothing.  S256 only: "plain" puts the secret itself in the URL (RFC9700-2.1.1).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidGrant, InvalidRequest
from insula.oidc.models import Client, Features
from insula.oidc.signing import b64url

PARAMETERS = frozenset({"code_challenge", "code_challenge_method"})


def metadata(_features: Features) -> dict[str, Any]:
    return {"code_challenge_methods_supported": ["S256"]}


_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 in base64url: RFC7636-4.2
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # RFC7636-4.1


def is_required(client: Client, features: Features) -> bool:
    """Whether this client may not ask without: by profile or switch, and public ones always."""
    return client.profile == "oauth21" or client.is_public or features.require_pkce


def check_challenge(params: Mapping[str, str], *, required: bool) -> str | None:
    """Refuse an authorization request whose code could not be bound."""
    challenge = params.get("code_challenge")
    method = params.get("code_challenge_method")
    if challenge is None and method is None and not required:
        return None
    if challenge is None or not _CHALLENGE.match(challenge):
        raise InvalidRequest("code_challenge must be 43 characters of base64url")
    # An absent method means "plain" (RFC7636-4.3), which we do not speak.
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    return challenge


def check_verifier(verifier: str | None, challenge: str | None) -> None:
    """Refuse a code presented by anyone but the client that asked for it."""
    if challenge is None:
        if verifier is not None:  # a downgrade: RFC9700-4.8.2
            raise InvalidGrant("code_verifier was sent for a request without code_challenge")
        return
    if verifier is None or not _VERIFIER.match(verifier):
        raise InvalidGrant("code_verifier must be 43 to 128 unreserved characters")
    if not hmac.compare_digest(s256(verifier), challenge):
        raise InvalidGrant("code_verifier does not match the code_challenge")


def s256(verifier: str) -> str:
    return b64url(hashlib.sha256(verifier.encode("ascii")).digest()).decode("ascii")
