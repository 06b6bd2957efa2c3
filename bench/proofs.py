"""A client's key and the DPoP proofs that it signs (RFC 9449)."""

import base64
import hashlib
import json
import secrets
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_SIGNATURE = ec.ECDSA(hashes.SHA256())


class Prover:
    """One P-256 key, and the head that all its proofs share."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": _b64(point.x.to_bytes(32, "big")),
            "y": _b64(point.y.to_bytes(32, "big")),
        }
        self._head = _segment({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk})

    def prove(self, method: str, address: str, token: str = "") -> str:
        """A fresh proof for one request."""
        says = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": address,
            "iat": int(time.time()),
        }
        if token:
            says["ath"] = _b64(hashlib.sha256(token.encode()).digest())
        message = f"{self._head}.{_segment(says)}"
        r, s = decode_dss_signature(self._key.sign(message.encode(), _SIGNATURE))
        return f"{message}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _segment(value: object) -> str:
    return _b64(json.dumps(value, separators=(",", ":")).encode())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
