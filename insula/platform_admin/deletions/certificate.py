"""What a certificate of a deletion says."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Certificate:
    """The claims of a certificate, and the algorithm and key it is signed with."""

    issuer: str
    number: str
    tenant_id: str
    slug: str
    requested_at: datetime
    started_at: datetime
    finished_at: datetime
    rows: Mapping[str, int]
    data_key_destroyed: bool
    release: str
    algorithm: str
    kid: str

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def read(jws: str) -> Certificate | None:
    """A certificate of ours in words, unverified; None when it is no such thing."""
    try:
        header, claims = (_part(part) for part in jws.split(".")[:2])
        return Certificate(
            claims["iss"],
            claims["jti"],
            claims["sub"],
            claims["slug"],
            datetime.fromtimestamp(claims["requested_at"], UTC),
            datetime.fromtimestamp(claims["started_at"], UTC),
            datetime.fromtimestamp(claims["finished_at"], UTC),
            claims["rows"],
            claims["data_key_destroyed"],
            claims["release"],
            header["alg"],
            header.get("kid", ""),
        )
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _part(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found
