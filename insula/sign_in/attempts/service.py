"""
Counting attempts before the secret is looked at, so that parallel guesses count too.

Three counters: a name from one address, an address whatever the names, and a name from
anywhere. Unknown names are counted like known ones. A wait ends by itself, and a person who
signs in from elsewhere is not kept out by somebody guessing at one address.
"""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from insula.kernel.ids import Kind, digest
from insula.sign_in.attempts import store
from insula.sign_in.errors import TooManyAttempts
from insula.sign_in.settings import BruteForce
from insula.tenancy.db import Connection, Tenant

#: Attempts and seconds until they are forgotten, by kind of counter.
Counts = dict[str, tuple[int, float]]
_NONE = (0, 0.0)
_BETWEEN_LINES = timedelta(minutes=1)


def prefix(ip: str) -> str:
    """What of an address is counted: IPv4 whole, IPv6 by /64, mapped ones folded (row 61)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def client_subject(tenant_id: UUID, client_id: str, ip: str) -> tuple[str, bytes]:
    """Kind and subject of what counts failures of a client from an address (CA-10)."""
    return "client", digest(Kind.ATTEMPT, tenant_id, f"client\0{client_id}\0{prefix(ip)}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one name from one address."""

    tenant_id: UUID
    name_norm: str
    ip: str

    def subject(self, *parts: str) -> bytes:
        return digest(Kind.ATTEMPT, self.tenant_id, "\0".join(parts))

    @property
    def by_name_and_ip(self) -> tuple[str, bytes]:
        return "name_ip", self.subject(self.name_norm, prefix(self.ip))

    @property
    def by_ip(self) -> tuple[str, bytes]:
        return "ip", self.subject(prefix(self.ip))

    @property
    def by_name(self) -> tuple[str, bytes]:
        return "name", self.subject(self.name_norm)


def wait(n: int, policy: BruteForce) -> int:
    """Seconds to wait after *n* failures in a row; 0 below the limit, then doubling."""
    over = n - policy.per_identifier_ip
    if over < 0:
        return 0
    return int(min(policy.first_wait_seconds * 2 ** min(over, 20), policy.longest_wait_seconds))


async def count(tenant: Tenant, attempt: Attempt, policy: BruteForce) -> int:
    """
    Count an attempt that is about to be made; how many remain before a wait.

    Raises `TooManyAttempts`. A refused attempt is not counted, so a wait ends in spite of
    whoever keeps trying; the counters are kept in PostgreSQL and never fail open.
    """
    before = await store.read_counts(
        tenant, [attempt.by_name_and_ip, attempt.by_ip, attempt.by_name]
    )
    window = timedelta(seconds=policy.window_seconds)
    _refuse(before, attempt, policy)
    counts = await store.count(
        tenant,
        [
            (*attempt.by_name_and_ip, window),
            (*attempt.by_ip, timedelta(seconds=policy.per_ip_window_seconds)),
            (*attempt.by_name, window),
        ],
    )
    _refuse_crowd(before, counts, attempt, policy)
    return max(policy.per_identifier_ip - counts["name_ip"][0], 0)


def _refuse(counts: Counts, attempt: Attempt, policy: BruteForce) -> None:
    n, left = counts.get("name_ip", _NONE)
    pause = wait(n, policy)
    since = policy.window_seconds - left
    if pause and since < pause:
        raise TooManyAttempts(int(pause - since) + 1, attempt.by_name_and_ip)
    n, left = counts.get("ip", _NONE)
    if n >= policy.per_ip:
        raise TooManyAttempts(int(left) + 1, attempt.by_ip)
    n, left = counts.get("name", _NONE)
    since = policy.window_seconds - left
    if n >= policy.per_account and since < policy.longest_wait_seconds:
        raise TooManyAttempts(int(policy.longest_wait_seconds - since) + 1, attempt.by_name)


def _refuse_crowd(before: Counts, counts: Counts, attempt: Attempt, policy: BruteForce) -> None:
    """Those who were counted at the same moment as others see the sum, and are refused too."""
    n, _ = counts["name_ip"]
    if n > policy.per_identifier_ip * 20:
        raise TooManyAttempts(wait(n, policy), attempt.by_name_and_ip)
    n, left = counts["ip"]
    if n > policy.per_ip * 2:
        raise TooManyAttempts(int(left) + 1, attempt.by_ip)
    n, _ = counts["name"]
    # whoever has waited has one more try, whatever was counted before the wait
    if n > max(policy.per_account, before.get("name", _NONE)[0] + 1):
        raise TooManyAttempts(policy.longest_wait_seconds, attempt.by_name)


async def first_refusal(db: Connection, refusal: TooManyAttempts) -> bool:
    """
    Whether a refusal is the first of its counter within a minute, and worth a line.

    By counter and not by name: one address may try any number of names that nobody has.
    """
    return await store.first_refusal(db, refusal.counter, _BETWEEN_LINES)


async def forget(db: Connection, attempt: Attempt) -> None:
    """
    A success: the name's failures are forgotten, and the address keeps all but this attempt.

    Many people sign in from one office; only what failed there may count against it. The order
    is that of counting, so that the two cannot wait for each other.
    """
    await store.uncount(db, attempt.by_ip)
    await store.forget_attempts(db, [attempt.by_name, attempt.by_name_and_ip])
