"""
DPoP proofs: RFC9449-4. A caller shows that it holds a key, for one request and once.

The key travels in the proof itself, so a good signature says no more than that whoever sent
this holds it; what the key means is said by the token or the code that is bound to it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insula.kernel import clock
from insula.oidc.addresses import normal
from insula.oidc.errors import InvalidDpopProof, UseDpopNonce
from insula.oidc.features.dpop import ALGORITHMS
from insula.oidc.http import Request, Response
from insula.oidc.issuer import Issuer
from insula.oidc.jose import MAX_TOKEN, Received, is_current, public_members, receive
from insula.oidc.signing import b64url, thumbprint

_TYPE: Final = "dpop+jwt"
#: Seconds that a proof may be old, and that its `jti` is remembered (DP-3).
_OLDEST, _KEPT = 60, 300
#: Members of private and of shared keys (RFC7518-6): whoever sends one has lost it.
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is good for its request; *jkt* is the thumbprint of its key (RFC7638)."""

    jkt: str
    jti: str
    nonce: str | None


def read_proof(issuer: Issuer, request: Request, access_token: str | None = None) -> Proof | None:
    """
    Verify the proof that came with a request; None without one. Takes no trip.

    With *access_token* it must have been made for this token. Raises `InvalidDpopProof`.
    """
    sent = request.headers(b"dpop")
    if not sent:
        return None
    if not issuer.features.dpop:
        raise InvalidDpopProof("DPoP is not supported")
    if len(sent) > 1:
        raise InvalidDpopProof("There is more than one DPoP header")
    if len(sent[0]) > MAX_TOKEN:
        raise InvalidDpopProof("The DPoP proof is longer than 16 KB")
    received = receive(sent[0])
    if received is None or received.typ != _TYPE or received.alg not in ALGORITHMS:
        raise InvalidDpopProof(
            "The DPoP proof is no JWT, or of a type or algorithm that is refused"
        )
    claims = received.claims
    _check_request(issuer, request, claims)
    if not is_current(claims, oldest=_OLDEST, need_exp=False):
        raise InvalidDpopProof("The DPoP proof is too old or not valid yet")
    if access_token is not None and claims.get("ath") != _hash_of(access_token):
        raise InvalidDpopProof("ath of the DPoP proof is not the hash of the access token")
    jti, nonce = claims.get("jti"), claims.get("nonce")
    if not isinstance(jti, str) or not jti:
        raise InvalidDpopProof("jti of the DPoP proof is missing")
    return Proof(_verify(received), jti, nonce if isinstance(nonce, str) else None)


def check_nonce(issuer: Issuer, proof: Proof) -> None:
    """
    Refuse a proof that was not made in the last minutes, if that is asked for (DPOP-8, DPOP-9).

    Raises `UseDpopNonce`, which holds what the next proof must say.
    """
    if not issuer.features.dpop_nonce:
        return
    minute = _minute()
    fresh = (_nonce_of(issuer, each) for each in (minute, minute - 1))
    if proof.nonce is None or not any(
        hmac.compare_digest(proof.nonce.encode(), each.encode()) for each in fresh
    ):
        raise UseDpopNonce("The DPoP proof needs the nonce of the header", nonce=new_nonce(issuer))


async def use_up(issuer: Issuer, proof: Proof) -> None:
    """Let a proof count this once. One trip. Raises `InvalidDpopProof` the second time."""
    if not await issuer.requests.is_first("dpop", proof.jkt, proof.jti, _KEPT):
        raise InvalidDpopProof("The DPoP proof was used before")


async def prove_key(issuer: Issuer, request: Request) -> str | None:
    """Thumbprint of the key that a back-channel request was proven with; None without a proof."""
    proof = read_proof(issuer, request)
    if proof is None:
        return None
    check_nonce(issuer, proof)
    await use_up(issuer, proof)
    return proof.jkt


def new_nonce(issuer: Issuer) -> str:
    """What a proof may say in this minute and the next."""
    return _nonce_of(issuer, _minute())


def offer_nonce(issuer: Issuer, response: Response) -> Response:
    """Tell the caller what its next proof must say, where nonces are asked for (DPOP-8.2)."""
    if issuer.features.dpop and issuer.features.dpop_nonce:
        response.headers.append((b"dpop-nonce", new_nonce(issuer).encode("ascii")))
    return response


def _minute() -> int:
    return int(clock.now()) // 60


def _nonce_of(issuer: Issuer, minute: int) -> str:
    """A keyed hash, which every process makes alike and none has to remember (DP-7)."""
    said = f"{issuer.url}\0{minute}".encode()
    return b64url(hmac.digest(issuer.dpop_key, said, hashlib.sha256)).decode("ascii")


def _hash_of(access_token: str) -> str:
    return b64url(hashlib.sha256(access_token.encode()).digest()).decode("ascii")


def _check_request(issuer: Issuer, request: Request, claims: Mapping[str, Any]) -> None:
    """Check that it was made for this method at this address, which configuration knows."""
    if claims.get("htm") != request.method:
        raise InvalidDpopProof("htm of the DPoP proof is not the method of the request")
    htu = claims.get("htu")
    if not isinstance(htu, str) or normal(htu) != normal(issuer.url + request.path):
        raise InvalidDpopProof("htu of the DPoP proof is not the address of the request")


def _verify(received: Received) -> str:
    """Verify the signature with the key in the header; its thumbprint."""
    jwk = received.header.get("jwk")
    if not isinstance(jwk, dict) or _SECRET & jwk.keys():
        raise InvalidDpopProof("jwk of the DPoP proof is not a public key")
    members = public_members(jwk, received.alg)
    if members is None:
        raise InvalidDpopProof("jwk of the DPoP proof is not a key for its algorithm")
    kid = received.header.get("kid")
    if not received.is_signed_by([{**members, "kid": kid}], ALGORITHMS):
        raise InvalidDpopProof("The DPoP proof is not signed by the key in its jwk")
    return thumbprint(members)
