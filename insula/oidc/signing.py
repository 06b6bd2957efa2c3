"""
What this issuer signs with, and the compact JWTs that come of it.

The algorithm is a property of the key: nothing here takes one from a token. Private keys
were validated in full when they were made, and reach us from storage whose authenticity
was just proven, so that loading them again costs microseconds and not 45 ms.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KeyState = Literal["next", "active", "retiring", "retired"]

#: In the order in which metadata lists them.
ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")

_PUBLIC_MEMBERS = ("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y")

#: One encoder for all: `json.dumps` with separators would build one for each token.
compact_json = json.JSONEncoder(separators=(",", ":")).encode

_ES256 = ec.ECDSA(hashes.SHA256())
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
_SELF_TEST = b"a key that cannot verify its own signature is never used"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key others may verify with, as the JWK that is published."""

    kid: str
    alg: str
    jwk: Mapping[str, str]
    state: KeyState

    @property
    def members(self) -> dict[str, str]:
        """What is shown of it, whatever it was stored with."""
        return {name: self.jwk[name] for name in _PUBLIC_MEMBERS if name in self.jwk}


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """A new key; *pkcs8_der* is for the envelope it is stored in, and for nothing else."""

    kid: str
    alg: str
    pkcs8_der: bytes = field(repr=False)
    public_jwk: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The active key of one algorithm."""

    kid: str
    alg: str
    private: PrivateKey = field(repr=False)
    _heads: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def sign(self, message: bytes) -> bytes:
        key = self.private
        if isinstance(key, ec.EllipticCurvePrivateKey):
            # JWS wants r and s side by side, not the DER that everyone else uses (RFC7518-3.4)
            r, s = decode_dss_signature(key.sign(message, _ES256))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(message)
        scheme = _PSS if self.alg == "PS256" else padding.PKCS1v15()
        return key.sign(message, scheme, hashes.SHA256())

    def jwt(self, typ: str, claims: Mapping[str, Any]) -> str:
        """Sign *claims*; the header holds alg, kid and typ, nothing else."""
        head = self._heads.get(typ)
        if head is None:
            head = encode_segment({"alg": self.alg, "kid": self.kid, "typ": typ})
            self._heads[typ] = head
        message = head + b"." + encode_segment(claims)
        return (message + b"." + b64url(self.sign(message))).decode("ascii")

    async def issue(self, typ: str, claims: Mapping[str, Any]) -> str:
        """
        Sign without holding up the event loop.

        RSA takes most of a millisecond and releases the interpreter lock: it goes to a
        thread. The others take less than the way there.
        """
        if isinstance(self.private, rsa.RSAPrivateKey):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, self.jwt, typ, claims)
        return self.jwt(typ, claims)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """
    The keys of one issuer.

    *signing* is the active key of each algorithm; *published* is what the JWKS shows,
    ordered active, next, retiring; *hint_only* verifies id_token hints and nothing else.
    """

    signing: Mapping[str, SigningKey]
    published: Sequence[PublicKey]
    hint_only: Sequence[PublicKey] = ()


def generate_key(alg: str) -> GeneratedKey:
    """Make a key, validated in full and proven to verify what it signs. Off the event loop."""
    private: PrivateKey
    if alg in {"RS256", "PS256"}:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif alg == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    elif alg == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        raise ValueError(f"no such algorithm: {alg}")
    der = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    validated = serialization.load_der_private_key(der, password=None)
    members = _public_members(private)
    kid = thumbprint(members)
    _self_test(SigningKey(kid, alg, _narrow(validated)))
    jwk = {"kty": members["kty"], "use": "sig", "alg": alg, "kid": kid, **members}
    return GeneratedKey(kid, alg, der, jwk)


def load_signing_key(kid: str, alg: str, pkcs8_der: bytes) -> SigningKey:
    """Load a key that came out of an authenticated envelope, without validating it again."""
    private = serialization.load_der_private_key(
        pkcs8_der, password=None, unsafe_skip_rsa_key_validation=True
    )
    return SigningKey(kid, alg, _narrow(private))


def thumbprint(members: Mapping[str, str]) -> str:
    """RFC 7638, over the required members of a public key."""
    canonical = compact_json(dict(sorted(members.items())))
    return b64url(hashlib.sha256(canonical.encode()).digest()).decode("ascii")


def b64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def encode_segment(value: Mapping[str, Any]) -> bytes:
    return b64url(compact_json(value).encode())


def left_half_hash(alg: str, value: str) -> str:
    """Hash as `at_hash` does: with the hash of the id_token's algorithm (OIDCC-3.1.3.6)."""
    # Ed25519 signs over SHA-512, so its hash is that one.
    whole = (hashlib.sha512 if alg == "EdDSA" else hashlib.sha256)(value.encode("ascii")).digest()
    return b64url(whole[: len(whole) // 2]).decode("ascii")


def _narrow(private: object) -> PrivateKey:
    if isinstance(
        private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ):
        return private
    raise TypeError("not a kind of key that we sign with")


def _public_members(private: PrivateKey) -> dict[str, str]:
    if isinstance(private, rsa.RSAPrivateKey):
        n = private.public_key().public_numbers()
        return {"kty": "RSA", "n": _integer(n.n), "e": _integer(n.e)}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        p = private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": _integer(p.x, 32), "y": _integer(p.y, 32)}
    raw = private.public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw).decode("ascii")}


def _integer(value: int, size: int = 0) -> str:
    size = size or (value.bit_length() + 7) // 8
    return b64url(value.to_bytes(size, "big")).decode("ascii")


def _self_test(key: SigningKey) -> None:
    signature = key.sign(_SELF_TEST)
    public = key.private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        scheme = _PSS if key.alg == "PS256" else padding.PKCS1v15()
        public.verify(signature, _SELF_TEST, scheme, hashes.SHA256())
    elif isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, _SELF_TEST)
    else:
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        public.verify(encode_dss_signature(r, s), _SELF_TEST, _ES256)
