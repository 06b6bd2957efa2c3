"""
The OpenID Connect client of this application.

Authorization code with PKCE, state and nonce (OIDCC-3.1, RFC7636), the issuer in
the answer (RFC9207), refresh (OIDCC-12), userinfo (OIDCC-5.3) and sign-out at the
provider (OIDCRIL-2).  Metadata and keys are asked for each time: a demo wants to
show a key rotation, not to be fast.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from insula.platform.demo.registrations import Registration
from insula.platform.demo.tokens import (
    Claims,
    Decoded,
    Expected,
    Refused,
    readable,
    verified_id_token,
)

SCOPE = "openid profile email offline_access"
_PENDING_SECONDS = 600
_OK = 200


@dataclass(frozen=True)
class Pending:
    """A sign-in that was begun; kept on this side, tied to the browser by its session."""

    slug: str
    nonce: str
    verifier: str
    began: float = field(default_factory=time.monotonic)

    def is_stale(self) -> bool:
        return time.monotonic() - self.began > _PENDING_SECONDS


@dataclass(frozen=True)
class SignIn:
    """A finished sign-in: what we were given, after every check."""

    id_token: str
    decoded_id_token: Decoded
    access_token: str
    refresh_token: str | None
    scope: str
    expires_in: int
    userinfo: Claims
    at: datetime
    refreshed: int = 0

    @property
    def person(self) -> str:
        """The most human of the names that the tenant gave us."""
        named = (self.userinfo.get(claim) for claim in ("name", "email", "sub"))
        return str(next(filter(None, named)))

    @property
    def decoded_access_token(self) -> Decoded | None:
        return readable(self.access_token)


class RelyingParty:
    """We, as a client of one tenant."""

    def __init__(self, registration: Registration, http: httpx2.AsyncClient) -> None:
        self.registration = registration
        self._http = http

    async def begin(self) -> tuple[str, str, Pending]:
        """Begin a sign-in: where to send the browser, the state it brings back, what to keep."""
        metadata = await self._metadata()
        state = secrets.token_urlsafe(32)
        pending = Pending(
            self.registration.slug, secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        )
        question = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": self.registration.redirect_uri,
            "scope": SCOPE,
            "prompt": "consent",  # what offline_access needs to count (OIDCC-11)
            "state": state,
            "nonce": pending.nonce,
            "code_challenge": _s256(pending.verifier),
            "code_challenge_method": "S256",
        }
        return _with(metadata["authorization_endpoint"], question), state, pending

    async def complete(self, pending: Pending, answer: Mapping[str, str]) -> SignIn:
        """Turn the answer to a sign-in that we began into tokens, or refuse it."""
        metadata = await self._metadata()
        self._check_answer(answer, metadata)
        tokens = await self._ask_for_tokens(
            metadata,
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=self.registration.redirect_uri,
            code_verifier=pending.verifier,
        )
        return await self._believe(metadata, tokens, nonce=pending.nonce)

    async def refresh(self, former: SignIn) -> SignIn:
        """Exchange the refresh token; the person must still be the same (OIDCC-12.2)."""
        if former.refresh_token is None:
            raise Refused("There is no refresh token: offline_access was not granted.")
        metadata = await self._metadata()
        tokens = await self._ask_for_tokens(
            metadata, grant_type="refresh_token", refresh_token=former.refresh_token
        )
        tokens = {"refresh_token": former.refresh_token, "scope": former.scope, **tokens}
        renewed = await self._believe(metadata, tokens, nonce=None)
        before, after = former.decoded_id_token.claims, renewed.decoded_id_token.claims
        if any(before.get(name) != after.get(name) for name in ("sub", "auth_time")):
            raise Refused("The refreshed id_token speaks of another sign-in.")
        if after.get("nonce", before["nonce"]) != before["nonce"]:
            raise Refused("The refreshed id_token carries a foreign nonce.")
        return replace(renewed, refreshed=former.refreshed + 1)

    async def sign_out_url(self, former: SignIn, state: str) -> str:
        metadata = await self._metadata()
        question = {
            "id_token_hint": former.id_token,
            "post_logout_redirect_uri": self.registration.signed_out_uri,
            "state": state,
        }
        return _with(metadata["end_session_endpoint"], question)

    def _check_answer(self, answer: Mapping[str, str], metadata: Claims) -> None:
        # First of all: an answer of another provider is not even an error of this one.
        if "iss" in answer or metadata.get("authorization_response_iss_parameter_supported"):
            issuer = answer.get("iss", "")
            if not hmac.compare_digest(issuer.encode(), self.registration.issuer.encode()):
                raise Refused(f"The answer comes from {issuer or 'an unnamed issuer'}.")
        if "error" in answer:
            raise Refused(_sentence(answer))
        if "code" not in answer:
            raise Refused("The answer holds neither a code nor an error.")

    async def _believe(self, metadata: Claims, tokens: Claims, *, nonce: str | None) -> SignIn:
        if str(tokens.get("token_type", "")).lower() != "bearer":
            raise Refused("The token answer is not of type Bearer.")
        try:
            id_token, access_token = str(tokens["id_token"]), str(tokens["access_token"])
        except KeyError as missing:
            raise Refused(f"The token answer has no {missing}.") from missing
        decoded = verified_id_token(
            id_token,
            await self._get(metadata["jwks_uri"]),
            Expected(self.registration.issuer, self.registration.client_id, access_token, nonce),
        )
        userinfo = await self._get(metadata["userinfo_endpoint"], bearer=access_token)
        if userinfo.get("sub") != decoded.claims["sub"]:  # OIDCC-5.3.2
            raise Refused("Userinfo speaks of another person than the id_token.")
        return SignIn(
            id_token=id_token,
            decoded_id_token=decoded,
            access_token=access_token,
            refresh_token=tokens.get("refresh_token"),
            scope=str(tokens.get("scope", SCOPE)),
            expires_in=int(tokens.get("expires_in", 0)),
            userinfo=userinfo,
            at=datetime.now(UTC),
        )

    async def _metadata(self) -> Claims:
        metadata = await self._get(f"{self.registration.issuer}/.well-known/openid-configuration")
        if metadata.get("issuer") != self.registration.issuer:  # OIDCD-4.3
            raise Refused(f"Discovery names another issuer: {metadata.get('issuer')}.")
        return metadata

    async def _ask_for_tokens(self, metadata: Claims, **form: str) -> Claims:
        # RFC6749-2.3.1 encodes the two before they become user name and password.
        user, password = (
            quote(part, safe="")
            for part in (self.registration.client_id, self.registration.client_secret)
        )
        basic = httpx2.BasicAuth(user, password)
        return await self._send("POST", metadata["token_endpoint"], data=form, auth=basic)

    async def _get(self, url: str, *, bearer: str | None = None) -> Claims:
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        return await self._send("GET", url, headers=headers)

    async def _send(self, method: str, url: str, **options: Any) -> Claims:  # noqa: ANN401  # httpx2's own
        try:
            response = await self._http.request(method, url, **options)
            answer = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise Refused(f"No usable answer from {url}: {error}") from error
        if not isinstance(answer, dict):
            raise Refused(f"No usable answer from {url}.")
        if response.status_code != _OK:
            raise Refused(_sentence(answer))
        return answer


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _with(endpoint: str, question: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(question)}"


def _sentence(refusal: Mapping[str, Any]) -> str:
    code, description = refusal.get("error", "no reason"), refusal.get("error_description")
    return f"The provider refused: {code}" + (f" ({description})." if description else ".")
