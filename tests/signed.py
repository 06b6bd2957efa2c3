"""What applications sign with keys of their own: made by pyjwt, which is not what verifies it."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from uuid import uuid4

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

BEARER_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_MAKE = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_MAKE["PS256"] = _MAKE["RS256"]


def without(says, changes):
    """*says* with *changes*; what is changed to `...` is left out."""
    return {name: value for name, value in (says | changes).items() if value is not ...}


def b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(header, claims, signature=b"x" * 64):
    """A token of parts that need not be what they should; bytes stand as they are."""
    parts = (
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)
    )
    return ".".join(b64url(part) for part in (*parts, signature))


@dataclass
class Key:
    """A key pair of somebody else; the public half as a JWK."""

    alg: str = "ES256"
    kid: str = "k1"
    private: object = field(init=False, repr=False)

    def __post_init__(self):
        self.private = _MAKE[self.alg]()

    @property
    def members(self):
        algorithm = pyjwt.get_algorithm_by_name(self.alg)
        said = algorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {name: said[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in said}

    @property
    def jwk(self):
        return {**self.members, "kid": self.kid, "use": "sig", "alg": self.alg}

    @property
    def private_jwk(self):
        algorithm = pyjwt.get_algorithm_by_name(self.alg)
        return algorithm.to_jwk(self.private, as_dict=True)

    @property
    def thumbprint(self):
        """RFC7638-3, written down anew."""
        canonical = json.dumps(self.members, separators=(",", ":"), sort_keys=True)
        return b64url(hashlib.sha256(canonical.encode()).digest())

    def sign(self, claims, **header):
        """Sign claims, however odd; a header of `...` is left out."""
        header = without({"alg": self.alg, "typ": "JWT", "kid": self.kid}, header)
        return self.sign_text(json.dumps(header), json.dumps(claims))

    def sign_text(self, header, claims):
        unsigned = f"{b64url(header.encode())}.{b64url(claims.encode())}"
        signature = pyjwt.get_algorithm_by_name(self.alg).sign(unsigned.encode(), self.private)
        return f"{unsigned}.{b64url(signature)}"


def signed_assertion(key, client_id, aud, *, header=None, now=None, **changes):
    """A good client assertion, but for *changes* of its claims and *header*."""
    now = int(now or time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": aud,
        "jti": uuid4().hex,
        "iat": now,
        "exp": now + 60,
    }
    return key.sign(without(claims, changes), **header or {})


def signed_proof(key, method, url, *, header=None, token=None, now=None, **changes):
    """A good DPoP proof, but for *changes* of its claims and *header*."""
    claims = {"jti": uuid4().hex, "htm": method, "htu": url, "iat": int(now or time.time())}
    if token is not None:
        claims["ath"] = b64url(hashlib.sha256(token.encode()).digest())
    said = {"typ": "dpop+jwt", "jwk": key.members, "kid": ...} | (header or {})
    return key.sign(without(claims, changes), **said)


def asserting(token):
    """The parameters by which a client proves itself."""
    return {"client_assertion_type": BEARER_TYPE, "client_assertion": token}
