"""
What we accept as signed, by ourselves or by a client. The only user of joserfc.

For our own tokens the key is chosen by us and brings its algorithm with it; a token's own
`alg` may only agree. A client's token must be signed by one of the keys it registered, with
one of the algorithms of its profile. Keys and addresses in a header are ignored, and `crit`
is refused because we understand no extension (RFC7515-4.1.11).
"""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeGuard

from cachetools import LRUCache
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from insula.kernel import clock
from insula.oidc.signing import KeyRing, PublicKey

ACCESS_TOKEN_TYPE: Final = "at+jwt"
ID_TOKEN_TYPE: Final = "JWT"

MAX_TOKEN = 16 * 1024
LEEWAY = 15

_KINDS: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class _Pinned(jws.JWSRegistry):
    """One algorithm, under the names that it goes by; other header members are not our concern."""

    def __init__(self, alg: str) -> None:
        # RFC 9864 renames EdDSA with this curve; both names mean the same signature.
        names = ("EdDSA", "Ed25519") if alg == "EdDSA" else (alg,)
        super().__init__(algorithms=names, strict_check_header=False)
        self.names = names
        self.model = self.algorithms[alg]

    def get_alg(self, name: str) -> jws.JWSAlgModel:  # type: ignore[name-defined]  # not re-exported
        if name not in self.names:
            raise JoseError("not the algorithm of this key")
        return self.model


class _Key:
    __slots__ = ("key", "material", "registry")

    def __init__(self, public: PublicKey) -> None:
        members: dict[str, str | list[str]] = {**public.members}
        self.key = _KINDS[public.jwk["kty"]].import_key(members)
        self.registry = _Pinned(public.alg)
        #: What tells this key from another that goes by the same name.
        self.material = json.dumps(members, sort_keys=True)

    def signed(self, token: jws.CompactSignature) -> bool:
        try:
            return jws.validate_compact(token, self.key, registry=self.registry)
        except (JoseError, ValueError):
            return False


class Verifier:
    """Verifies what one issuer signed, with that issuer's keys and no others."""

    def __init__(self, issuer: str, ring: KeyRing) -> None:
        self._issuer = issuer
        self._current = _keys(ring.published)
        self._of_hints = self._current | _keys(ring.hint_only)

    def access_token(self, token: str) -> Mapping[str, Any] | None:
        """
        Read a JWT access token of this issuer that is valid now, whatever its audience.

        RFC9068-4, but for the audience: whoever serves something asks `audience_of`.
        """
        claims = self._read(token, ACCESS_TOKEN_TYPE, self._current)
        if claims is None or not audience_of(claims):
            return None
        texts = (claims.get("client_id"), claims.get("jti"), claims.get("scope", ""))
        if not all(isinstance(text, str) for text in texts):
            return None
        now = clock.now()
        if not _is_number(claims.get("exp")) or claims["exp"] <= now - LEEWAY:
            return None
        starts = (claims.get("iat"), claims.get("nbf", 0))
        has_begun = all(_is_number(start) and start <= now + LEEWAY for start in starts)
        return claims if has_begun else None

    def id_token_hint(self, token: str) -> Mapping[str, Any] | None:
        """Read an id_token that we issued at any time; expired ones serve (OIDCRIL-4)."""
        claims = self._read(token, ID_TOKEN_TYPE, self._of_hints)
        # userinfo that is signed has no time: OIDCC-5.3.2
        if claims is None or not isinstance(claims.get("aud"), str) or "iat" not in claims:
            return None
        return claims

    def _read(self, token: str, typ: str, keys: Mapping[str, _Key]) -> Mapping[str, Any] | None:
        """
        The claims of a token of this type that one of *keys* signed.

        That a signature fits is remembered; whether the token still counts is asked each time.
        """
        place = (self._issuer, typ, hashlib.sha256(token.encode("utf-8", "replace")).digest())
        known = _verified.get(place)
        if known is not None:
            key = keys.get(known[0])
            return known[2] if key is not None and key.material == known[1] else None
        opened = _open(token, typ, keys)
        if opened is None:
            return None
        kid, payload = opened
        try:
            claims = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        if not isinstance(claims, dict) or claims.get("iss") != self._issuer:
            return None
        if not isinstance(claims.get("sub"), str):
            return None
        _verified[place] = (kid, keys[kid].material, claims)
        return claims


def audience_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a token is for; empty when that cannot be read."""
    aud = claims.get("aud")
    each: list[Any] = aud if isinstance(aud, list) else [aud]
    return tuple(each) if all(isinstance(one, str) for one in each) else ()


#: Signatures that were found good, by issuer, type and digest of the token: APIs ask about the same
#: token again and again. Holds the key's name and material, so a key that is gone counts no more.
_verified: LRUCache[tuple[str, str, bytes], tuple[str, str, Mapping[str, Any]]] = LRUCache(4096)

_SHAPE = jws.JWSRegistry(strict_check_header=False)


def _open(token: str, typ: str, keys: Mapping[str, _Key]) -> tuple[str, bytes] | None:
    """Return key id and payload of a token of this type that one of *keys* signed."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    try:
        parts = jws.extract_compact(token.encode("ascii"), registry=_SHAPE)
    except (JoseError, ValueError, TypeError):
        return None
    header = parts.headers()
    if not isinstance(header, dict) or header.get("typ") != typ or "crit" in header:
        return None
    kid = header.get("kid")
    if not isinstance(kid, str) or kid not in keys or not keys[kid].signed(parts):
        return None
    return kid, parts.payload


def _keys(public: Iterable[PublicKey]) -> dict[str, _Key]:
    return {key.kid: _Key(key) for key in public}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


#: What a client may sign with, and the kind of key and curve that goes with it. No HMAC: it would
#: need secrets that can be read back; no `none` (protocol.md 1.2).
CLIENT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
_KEY_OF: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
_PUBLIC: Mapping[str, tuple[str, ...]] = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}
#: Above, a signature takes longer to verify than anybody's key is worth.
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_MAX_RSA_EXPONENT = 2**32


class _Foreign(jws.JWSRegistry):
    """What others send brings whole keys and certificates along; the token's size is the limit."""

    max_header_length = max_payload_length = max_signature_length = MAX_TOKEN


_FOREIGN = _Foreign(strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Received:
    """A JWT of somebody else, taken apart; nothing in it is proven before `is_signed_by`."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    _parts: jws.CompactSignature = field(repr=False)

    @property
    def alg(self) -> str:
        """The algorithm it claims, under the name that metadata uses."""
        alg = self.header.get("alg")
        return "EdDSA" if alg == "Ed25519" else alg if isinstance(alg, str) else ""

    @property
    def typ(self) -> str:
        """The media type it claims to be, in lower case, short (RFC7515-4.1.9)."""
        typ = self.header.get("typ", "")
        return typ.lower().removeprefix("application/") if isinstance(typ, str) else "?"

    @property
    def kid(self) -> str | None:
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    def is_signed_by(self, jwks: Sequence[Mapping[str, Any]], algs: Iterable[str]) -> bool:
        """
        Whether one of these public keys signed it, with one of these algorithms.

        Keys and addresses in its own header count for nothing; `crit` was refused before.
        """
        if self.alg not in algs or self.alg not in _KEY_OF:
            return False
        return any(
            (key := _usable(jwk, self.alg)) is not None and key.signed(self._parts)
            for jwk in jwks
            if self.kid is None or jwk.get("kid") == self.kid
        )


def receive(token: str) -> Received | None:
    """Take a signed JWT apart; None for what is no such thing, or larger than 16 KB."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    try:
        parts = jws.extract_compact(token.encode("ascii"), registry=_FOREIGN)
        header = _read_object(urlsafe_b64decode(parts.segments["header"] + b"=="))
        claims = _read_object(parts.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    if "crit" in header or "b64" in header:
        return None
    return Received(header, claims, parts)


def _read_object(raw: bytes) -> dict[str, Any]:
    """
    Read a JSON object whose meaning is beyond doubt. Raises ValueError for anything else.

    Refused are a name that comes twice (RFC7515-4, RFC7519-4), numbers that JSON has none of
    (any comparison with NaN is false, an expiry too), and text that is no text to a database.
    """
    read = json.loads(raw.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_number)
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004  (one error for all that is unreadable)
    if b"\\u" in raw:  # the escapes that half a surrogate pair and U+0000 need
        written = json.dumps(read, ensure_ascii=False).encode()
        if b"\\u0000" in written.replace(b"\\\\", b""):
            raise ValueError("U+0000")
    return read


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _no_number(name: str) -> float:
    raise ValueError(name)


def public_members(jwk: Mapping[str, Any], alg: str) -> dict[str, str] | None:
    """The members of a public key that can serve *alg*, sorted as RFC 7638 wants; else None."""
    kty, crv = _KEY_OF[alg]
    if jwk.get("kty") != kty or (crv is not None and jwk.get("crv") != crv):
        return None
    members = {name: jwk.get(name) for name in _PUBLIC[kty]}
    if not all(isinstance(value, str) for value in members.values()):
        return None
    return members  # type: ignore[return-value]  # just looked at


def _usable(jwk: Mapping[str, Any], alg: str) -> _Key | None:
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", alg) not in (alg, "Ed25519"):
        return None
    members = public_members(jwk, alg)
    return None if members is None else _import(json.dumps(members), alg)


@lru_cache(1024)
def _import(members: str, alg: str) -> _Key | None:
    try:
        key = _Key(PublicKey("", alg, json.loads(members), "active"))
    except (JoseError, ValueError, TypeError):
        return None
    return key if _is_of_a_good_size(key) else None


def _is_of_a_good_size(key: _Key) -> bool:
    if not isinstance(key.key, RSAKey):
        return True
    public = key.key.public_key
    if not _MIN_RSA_BITS <= public.key_size <= _MAX_RSA_BITS:
        return False
    return public.public_numbers().e <= _MAX_RSA_EXPONENT


def is_current(
    claims: Mapping[str, Any],
    *,
    longest: int | None = None,
    oldest: int | None = None,
    need_exp: bool = True,
) -> bool:
    """
    Whether now lies between `nbf`, `iat` and `exp`, give or take 15 s (protocol.md 5.1).

    *longest* is how far ahead `exp` may lie, *oldest* how long ago `iat`, which must be there
    then; both in seconds.
    """
    now = clock.now()
    if oldest is not None and not (_is_number(claims.get("iat")) and claims["iat"] >= now - oldest):
        return False
    exp = claims.get("exp")
    if exp is None and need_exp:
        return False
    if exp is not None:
        if not _is_number(exp) or exp <= now - LEEWAY:
            return False
        if longest is not None and exp > now + longest + LEEWAY:
            return False
    return all(
        _is_number(start) and start <= now + LEEWAY
        for start in (claims.get("iat", 0), claims.get("nbf", 0))
    )
