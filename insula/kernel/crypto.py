"""
The envelope: a master key wraps a data key per tenant, the data key seals secrets.

AES-256-GCM; tenant and purpose are associated data, so a sealed value that is copied to
another row, column or tenant does not open. Every blob begins with the number of its
format and, for wrapped keys, with a mark of the master key that wrapped it, so that
rotation of the master key knows what is left to do.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = b"\x01"
_NONCE = 12
_MARK = 4
_KEY = 32


class DoesNotOpen(Exception):
    """A sealed value is not ours, not for this place, or was altered."""


def parse_key(text: str) -> bytes:
    """
    Read a 256-bit key written as base64, base64url or hex.

    Raises ValueError with what is wrong.
    """
    text = text.strip()
    try:
        if len(text) == _KEY * 2:
            return bytes.fromhex(text)
        plain = text.replace("-", "+").replace("_", "/").rstrip("=")
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("neither base64 nor hex") from error
    if len(key) != _KEY:
        raise ValueError(f"holds {len(key)} bytes, not {_KEY}")
    return key


def _seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, context)


def _open(key: bytes, sealed: bytes, context: bytes) -> bytes:
    if sealed[:1] != _FORMAT or len(sealed) < 1 + _NONCE + 16:
        raise DoesNotOpen("unknown format")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context)
    except InvalidTag as error:
        raise DoesNotOpen("wrong key, wrong place, or altered") from error


def _context(tenant_id: UUID, purpose: str) -> bytes:
    return f"insula\0{tenant_id}\0{purpose}".encode()


class TenantCipher:
    """Seals and opens secrets of one tenant; *purpose* names the place, down to the row."""

    def __init__(self, tenant_id: UUID, data_key: bytes) -> None:
        self._tenant_id = tenant_id
        self._data_key = data_key

    def seal(self, plain: bytes, purpose: str) -> bytes:
        return _seal(self._data_key, plain, _context(self._tenant_id, purpose))

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Raises `DoesNotOpen`."""
        return _open(self._data_key, sealed, _context(self._tenant_id, purpose))

    def derive(self, purpose: str) -> bytes:
        """A key of this tenant's own for *purpose*, the same for as long as the data key lives."""
        info = _context(self._tenant_id, f"derived\0{purpose}")
        return HKDF(SHA256(), _KEY, salt=None, info=info).derive(self._data_key)


class Envelope:
    """The master keys: the first wraps and unwraps, the others only unwrap."""

    def __init__(self, current: bytes, previous: Sequence[bytes] = ()) -> None:
        self._keys = {self._mark(key): key for key in (*previous, current)}
        self._current = current

    @staticmethod
    def _mark(key: bytes) -> bytes:
        return hashlib.sha256(b"insula master key\0" + key).digest()[:_MARK]

    def new_data_key(self, tenant_id: UUID) -> bytes:
        """A fresh data key for a tenant, wrapped."""
        return self._wrap(tenant_id, os.urandom(_KEY))

    def _wrap(self, tenant_id: UUID, data_key: bytes) -> bytes:
        return self._mark(self._current) + _seal(
            self._current, data_key, _context(tenant_id, "data key")
        )

    def cipher(self, tenant_id: UUID, wrapped: bytes) -> TenantCipher:
        """The cipher of a tenant from its wrapped data key. Raises `DoesNotOpen`."""
        key = self._keys.get(wrapped[:_MARK])
        if key is None:
            raise DoesNotOpen("no master key that wrapped this data key")
        return TenantCipher(tenant_id, _open(key, wrapped[_MARK:], _context(tenant_id, "data key")))

    def rewrap(self, tenant_id: UUID, wrapped: bytes) -> bytes | None:
        """The data key under the current master key; None when it is already."""
        if wrapped[:_MARK] == self._mark(self._current):
            return None
        return self._wrap(tenant_id, self.cipher(tenant_id, wrapped)._data_key)  # noqa: SLF001  (of this module)


def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=purpose.encode()).derive(secret.encode())


def seal_under(secret: str, plain: bytes, purpose: str) -> bytes:
    """Seal under a key derived from *secret*, which only its holder has (protocol.md 5.1)."""
    return _seal(_derived(secret, purpose), plain, purpose.encode())


def open_under(secret: str, sealed: bytes, purpose: str) -> bytes:
    """The reverse. Raises `DoesNotOpen`."""
    return _open(_derived(secret, purpose), sealed, purpose.encode())
