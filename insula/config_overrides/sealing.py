"""
Secrets on their way into storage: sealed with the data key of whoever decides them.

Each is bound to its tenant and its field, so that copied to another row or column it does not open.
"""

import base64
import binascii
import hmac
from typing import Any

from insula.config_overrides.errors import InvalidSetting, SecretsKeyMissing
from insula.config_overrides.masks import SEALED, is_sealed
from insula.config_overrides.models import Values
from insula.data_keys import service as data_keys
from insula.kernel.crypto import DoesNotOpen, Envelope, TenantCipher
from insula.kernel.settings import MASK, Section
from insula.tenancy.db import Connection


async def cipher_of(db: Connection, envelope: Envelope | None) -> TenantCipher:
    """What seals for the bound tenant. Raises `SecretsKeyMissing`."""
    if envelope is not None:
        try:
            return await data_keys.cipher(db, envelope)
        except DoesNotOpen:
            pass
    raise SecretsKeyMissing(
        "Secrets cannot be sealed or opened here: the key INSULA_SECRETS_KEY that wrapped this"
        " tenant's is not known."
    )


def opened(cipher: TenantCipher, section: type[Section], name: str, value: str) -> str:
    """The secret that *value* seals. Raises `DoesNotOpen`."""
    try:
        sealed = base64.urlsafe_b64decode(value.removeprefix(SEALED))
    except (ValueError, binascii.Error) as error:
        raise DoesNotOpen("not base64") from error
    return cipher.open(sealed, _purpose(section, name)).decode()


def _purpose(section: type[Section], name: str) -> str:
    return f"setting\0{section.key}.{name}"


def _seal(cipher: TenantCipher, section: type[Section], name: str, plain: str) -> str:
    sealed = cipher.seal(plain.encode(), _purpose(section, name))
    return SEALED + base64.urlsafe_b64encode(sealed).decode()


async def seal(  # noqa: PLR0913  (each is needed once)
    db: Connection,
    section: type[Section],
    before: Values,
    values: Values,
    envelope: Envelope | None,
    *,
    inherited: Values,
) -> dict[str, Any]:
    """
    *values* of a section as they may be stored: nothing of a secret is plain in them.

    The mask keeps what was stored *before*, or goes on inheriting. A sealed value, as an export or
    a version has it, is taken if it opens here. Raises `InvalidSetting`, `SecretsKeyMissing`.
    """
    after = dict(values)
    for name in section.secrets() & values.keys():
        value = values[name]
        if value == MASK:
            after.pop(name)
            if name in before:
                after[name] = before[name]
            elif not inherited.get(name):
                raise _refuse(section, name, "hides nothing that is stored; enter the secret")
        elif isinstance(value, str) and value and value != before.get(name):
            cipher = await cipher_of(db, envelope)
            after[name] = _sealed(cipher, section, name, value, before.get(name, ""))
    return after


def _sealed(
    cipher: TenantCipher, section: type[Section], name: str, value: str, before: str
) -> str:
    """A new value, sealed; the one of before where it hides the same."""
    if is_sealed(value):
        try:
            plain = opened(cipher, section, name, value)
        except (DoesNotOpen, UnicodeDecodeError) as error:
            text = "was sealed elsewhere: for another tenant, another field or with another key"
            raise _refuse(section, name, text) from error
    else:
        plain = value
        if len(plain) > section.longest_secret(name):
            text = f"may have at most {section.longest_secret(name)} characters"
            raise _refuse(section, name, text)
        if "\0" in plain or not plain.isprintable():
            raise _refuse(section, name, "must be one line of text that can be seen")
    if before and _is_same(cipher, section, name, before, plain):
        return before
    return value if is_sealed(value) else _seal(cipher, section, name, plain)


def _is_same(
    cipher: TenantCipher, section: type[Section], name: str, before: str, plain: str
) -> bool:
    try:
        known = opened(cipher, section, name, before)
    except (DoesNotOpen, UnicodeDecodeError):
        return False
    return hmac.compare_digest(known.encode(), plain.encode())


def _refuse(section: type[Section], name: str, why: str) -> InvalidSetting:
    return InvalidSetting(why, field=f"{section.key}.{name}")
