"""Ids and secrets: 256 random bits behind a type prefix, kept as typed, tenant-bound digests."""

import hashlib
import secrets
from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid4


class Kind(StrEnum):
    """What a secret is; part of its digest, so one kind can never be spent as another."""

    CODE = "code"
    ACCESS_TOKEN = "access_token"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_SECRET = "client_secret"
    SESSION = "session"
    ADMIN_SESSION = "admin_session"
    BROWSER = "browser"
    JTI = "jti"
    PUSHED_REQUEST = "pushed_request"
    SEEN_ONCE = "seen_once"
    DEVICE_CODE = "device_code"
    INITIAL_ACCESS_TOKEN = "initial_access_token"
    REGISTRATION_TOKEN = "registration_token"
    ATTEMPT = "attempt"
    IDEMPOTENCY_KEY = "idempotency_key"
    ACTIVATION_LINK = "activation_link"


PREFIXES = {
    Kind.CODE: "ins_ac_",
    Kind.ACCESS_TOKEN: "ins_at_",
    Kind.REFRESH_TOKEN: "ins_rt_",
    Kind.CLIENT_SECRET: "ins_cs_",
    Kind.SESSION: "",
    Kind.ADMIN_SESSION: "",
    Kind.BROWSER: "",
    Kind.PUSHED_REQUEST: "",
    Kind.DEVICE_CODE: "ins_dc_",
    Kind.INITIAL_ACCESS_TOKEN: "ins_iat_",
    Kind.REGISTRATION_TOKEN: "ins_rat_",
    Kind.ACTIVATION_LINK: "ins_al_",
}

new_id = uuid4


def new_secret(kind: Kind) -> str:
    """A fresh secret: 32 bytes of the operating system's generator, base64url (protocol.md 5.1)."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def digest(kind: Kind, tenant_id: UUID, value: str) -> bytes:
    """SHA-256 over type, tenant and value: what the database keeps of a secret."""
    return hashlib.sha256(_head(kind, tenant_id) + value.encode("utf-8", "surrogatepass")).digest()


@lru_cache(4096)
def _head(kind: Kind, tenant_id: UUID) -> bytes:
    return f"{kind}\0{tenant_id}\0".encode()
