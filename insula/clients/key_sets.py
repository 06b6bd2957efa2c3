"""
The public keys of a client, as it registers them (RFC7517, protocol.md DR-6).

Only what verifies a signature is kept of them: a certificate or a member nobody knows is left out,
and a private key is refused rather than stored.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from insula.clients.errors import InvalidClientMetadata

LARGEST_SET: Final = 20
_SHORTEST_RSA, _LONGEST_RSA = 2048, 8192
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEPT: Final = ("kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y")
#: What a key of each kind can sign, with the curve where one is meant.
_ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "PS256"}),
    "EC": frozenset({"ES256"}),
    "OKP": frozenset({"EdDSA"}),
}


def _refuse(why: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(
        why, field="jwks", example='{"keys": [{"kty": "EC", "crv": "P-256", "x": "…", "y": "…"}]}'
    )


def read_key_set(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """
    Check a JWK Set and keep its public members.

    RSA of 2048 to 8192 bits, EC on P-256 and Ed25519. Raises `InvalidClientMetadata`.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list | tuple) or not all(isinstance(key, Mapping) for key in keys):
        raise _refuse("must be an object with a list of keys")
    if not 1 <= len(keys) <= LARGEST_SET:
        raise _refuse(f"holds 1 to {LARGEST_SET} keys")
    read = [_read_key(key) for key in keys]
    names = [key["kid"] for key in read if "kid" in key]
    if len(names) != len(set(names)):
        raise _refuse("holds two keys of the same kid")
    return {"keys": read}


def can_sign(jwks: Mapping[str, Any], alg: str) -> bool:
    """Whether a key of this set could have made a signature of *alg*."""
    return any(alg in _ALGORITHMS[key["kty"]] for key in jwks["keys"])


def _read_key(key: Mapping[str, Any]) -> dict[str, Any]:
    if _PRIVATE & key.keys() or key.get("kty") == "oct":
        raise _refuse("holds a private key; register the public half and replace this one")
    if not isinstance(key.get("kid", ""), str):
        raise _refuse("holds a kid that is no text")
    check = {"RSA": _check_rsa, "EC": _check_ec, "OKP": _check_okp}.get(str(key.get("kty")))
    if check is None:
        raise _refuse("holds a key of a kind that is not offered; there are RSA, EC and OKP")
    check(key)
    return {name: key[name] for name in _KEPT if name in key}


def _check_rsa(key: Mapping[str, Any]) -> None:
    modulus, exponent = _number(key, "n"), _number(key, "e")
    if not _SHORTEST_RSA <= modulus.bit_length() <= _LONGEST_RSA:
        raise _refuse(f"an RSA key has {_SHORTEST_RSA} to {_LONGEST_RSA} bits")
    if not (modulus % 2 and exponent % 2 and 3 <= exponent < 2**32):  # noqa: PLR2004  (clearer than a name)
        raise _refuse("holds an RSA key that is none")


def _check_ec(key: Mapping[str, Any]) -> None:
    if key.get("crv") != "P-256":
        raise _refuse("an EC key is on the curve P-256")
    try:
        ec.EllipticCurvePublicNumbers(
            _number(key, "x"), _number(key, "y"), ec.SECP256R1()
        ).public_key()
    except ValueError:
        raise _refuse("holds a point that is not on its curve") from None


def _check_okp(key: Mapping[str, Any]) -> None:
    if key.get("crv") != "Ed25519":
        raise _refuse("an OKP key is on the curve Ed25519")
    if len(_bytes(key, "x")) != 32:  # noqa: PLR2004  (RFC8037-2)
        raise _refuse("an Ed25519 key is 32 bytes long")


def _number(key: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(_bytes(key, member))


def _bytes(key: Mapping[str, Any], member: str) -> bytes:
    value = key.get(member)
    if not isinstance(value, str) or not value or not value.isascii():
        raise _refuse(f"holds a key without {member}")
    if len(value) > _LONGEST_RSA or not value.replace("-", "").replace("_", "").isalnum():
        raise _refuse(f"holds a key whose {member} is no base64url")
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        raise _refuse(f"holds a key whose {member} is no base64url") from None
