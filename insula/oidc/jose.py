"""
What we accept as signed by ourselves: access tokens and id_token hints. The only user of joserfc.

The key is chosen by us and brings its algorithm with it; a token's own `alg` may only
agree. Of its header we read `kid` and `typ`; keys and addresses in it are ignored, and
`crit` is refused because we understand no extension (RFC7515-4.1.11).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
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
        """Read a JWT access token of this issuer that is valid now (RFC9068-4)."""
        claims = self._read(token, ACCESS_TOKEN_TYPE, self._current)
        if claims is None or not self._is_for(claims, self._issuer):
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
        return claims if claims is not None and isinstance(claims.get("aud"), str) else None

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

    @staticmethod
    def _is_for(claims: Mapping[str, Any], audience: str) -> bool:
        aud = claims.get("aud")
        return aud == audience or (isinstance(aud, list) and audience in aud)


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
