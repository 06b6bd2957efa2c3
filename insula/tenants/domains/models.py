"""A login domain as it stands, and what its owner has to publish to prove it (features.md T01)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

Method = Literal["dns", "meta", "file"]
#: How a domain was proven: by its method, or by an operator who vouches for it.
ProvenBy = Literal["dns", "meta", "file", "admin_override"]
#: Of these, `verified` and `failing` lead to the tenant.
State = Literal["pending", "verified", "failing", "unverified"]

METHODS: Final[tuple[Method, ...]] = ("dns", "meta", "file")
#: For how long a domain that a tenant no longer has is no other tenant's.
REST_DAYS: Final = 30
#: Domains of one tenant, pending ones among them.
MOST_DOMAINS: Final = 100

_NAME: Final = "insula-verify"


@dataclass(frozen=True, slots=True)
class Domain:
    """
    One domain of a tenant. *id* is its proof's; None where an older release gave it without one.

    *found* is what the last check that failed had found.
    """

    id: UUID | None
    host: str
    method: Method
    token: str
    is_held: bool
    is_primary: bool
    primary_wanted: bool
    lapsed_at: datetime | None
    proven_by: ProvenBy | None
    proven_at: datetime | None
    override_reason: str | None
    checked_at: datetime | None
    found: str
    failures: int
    silences: int
    created_at: datetime

    @property
    def state(self) -> State:
        if not self.is_held:
            return "pending"
        if self.lapsed_at is not None:
            return "unverified"
        doubted = self.found and self.proven_by != "admin_override"
        return "failing" if doubted else "verified"

    @property
    def is_served(self) -> bool:
        """Whether requests to it are the tenant's."""
        return self.is_held and self.lapsed_at is None


def record_name(host: str) -> str:
    return f"_{_NAME}.{host}"


def proof_text(token: str) -> str:
    """What the TXT record and the file hold."""
    return f"{_NAME}={token}"


def meta_name() -> str:
    return _NAME


def meta_tag(token: str) -> str:
    return f'<meta name="{_NAME}" content="{token}">'


def file_path(token: str) -> str:
    return f"/.well-known/{_NAME}-{token}.txt"
