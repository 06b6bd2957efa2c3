"""
User codes: eight consonants that a person reads from one screen and types at another.

They are short, so the database holds only a hash under a key that it does not have; a copy of
it cannot be searched for the code that waits.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from uuid import UUID

_CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{8}\Z")
_SEPARATORS = re.compile(r"[\s\-_.]+")
_LONGEST = 40


def read(typed: str) -> str | None:
    """Read what somebody typed: case and separators mean nothing. None for what is no code."""
    if len(typed) > _LONGEST:
        return None
    plain = _SEPARATORS.sub("", typed).upper()
    return plain if _CODE.match(plain) else None


def shown(code: str) -> str:
    """Write a code as the device shows it."""
    return f"{code[:4]}-{code[4:]}"


@dataclass(frozen=True, slots=True)
class UserCodes:
    """Hashes codes under the installation's *key*."""

    key: bytes = field(repr=False)

    def digest(self, tenant_id: UUID, code: str) -> bytes:
        return hmac.digest(self.key, f"user code\0{tenant_id}\0{code}".encode(), hashlib.sha256)
