"""
Which tenant a request names: strategies in their order, and what does not agree.

Decided from the raw Host header and, from a trusted peer alone, the tenant header; exactly
once (features.md A04 to A06).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from insula.kernel.errors import InsulaError
from insula.kernel.metrics import RESOLUTIONS, UNTRUSTED_HEADERS
from insula.tenancy.db import Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.hosts import (
    LOOPBACK,
    NOBODY,
    BadHost,
    Headers,
    Networks,
    one_header,
    parse_host,
)
from insula.tenancy.models import CANARIES, DEFAULT, OPS, Environment, Naming, is_slug

_log = structlog.get_logger(__name__)

Strategy = Literal["header", "subdomain"]
#: A page that is fetched with its style sheets says it once.
_QUIET: Final = 60.0

#: Slugs that no request can name: the gateway has no tenant, and `default` is the implicit one of
#: single-tenant mode and of the development fallback (features.md A11).
_NO_TENANTS: Final = frozenset({OPS, DEFAULT})

STRATEGIES: Final[tuple[Strategy, ...]] = ("header", "subdomain")


class Unresolved(InsulaError):
    """No tenant for this request; *status* and `code` are those of features.md A05."""

    def __init__(self, status: int, code: str, description: str, *, detail: str = "") -> None:
        super().__init__(description, code=code, detail=detail)
        self.status = status


class Disagreement(Unresolved):
    """Header and host name different tenants; *tenant* is the host's, who is told of it."""

    def __init__(self, tenant: Tenant | None) -> None:
        super().__init__(
            400, "tenant_mismatch", "The tenant header and the host name different tenants."
        )
        self.tenant = tenant


def required() -> Unresolved:
    return Unresolved(400, "tenant_required", "The request names no tenant.")


def ill_formed(detail: str) -> Unresolved:
    return Unresolved(
        400, "tenant_invalid", "The name of the tenant is not well formed.", detail=detail
    )


def not_found(detail: str) -> Unresolved:
    return Unresolved(404, "tenant_not_found", "There is no such tenant here.", detail=detail)


def not_active(tenant: Tenant) -> Unresolved:
    return Unresolved(
        403,
        "tenant_not_active",
        "This tenant is not active.",
        detail=f"{tenant.slug} {tenant.status}",
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """
    How this installation resolves; environment only (features.md A02).

    With *canaries* they are found and nobody else: so resolves the application that the probe asks
    (`platform.probed`), and no socket leads there. Everywhere else they are nobody.
    """

    naming: Naming
    environment: Environment
    priority: Sequence[Strategy] = STRATEGIES
    header: bytes = b"x-tenant-id"
    trusted: Networks = NOBODY
    canaries: bool = False


class Resolver:
    """Turns the headers of a request into its tenant."""

    def __init__(self, rules: Rules, directory: Directory) -> None:
        self._rules = rules
        self._directory = directory
        #: Raw Host header to parsed host: the same few arrive all the time.
        self._hosts: dict[bytes, str] = {}
        self._quiet_until = 0.0

    def host(self, headers: Headers) -> str | None:
        """The host the request names, None when it names none. Raises `Unresolved`."""
        try:
            raw = one_header(headers, b"host")
            if raw is None or raw == b"":
                return None
            host = self._hosts.get(raw)
            if host is None:
                host = parse_host(raw)
                if len(self._hosts) > 10_000:  # noqa: PLR2004  (a cache of recent names)
                    self._hosts.clear()
                self._hosts[raw] = host
        except BadHost as error:
            raise ill_formed(f"Host {error}") from error
        return host

    def is_ops(self, host: str | None) -> bool:
        """Whether *host* is the ops gateway's."""
        return host is not None and self._rules.naming.slug_of(host) == OPS

    async def resolve(self, host: str | None, headers: Headers, *, trusted: bool) -> Tenant:
        """
        The tenant of a request. *trusted* says that the tenant header may count.

        Raises `Unresolved` with the exact status; `Unavailable` when the directory must ask
        and cannot.
        """
        if not self._rules.naming.multi_tenant:
            return await self._known(f"slug:{DEFAULT}")
        named = self._header_slug(headers, trusted=trusted)
        by_host = await self._by_host(host) if "subdomain" in self._rules.priority else None
        if named is not None:
            by_header = await self._find(f"slug:{named}")
            if by_host is not None and (by_header is None or by_header.id != by_host.id):
                raise Disagreement(by_host)
            if by_header is None:
                raise not_found("header")
            RESOLUTIONS.labels("header").inc()
            return self._open(by_header)
        if by_host is not None:
            return self._open(by_host)
        return await self._unnamed(host)

    def _header_slug(self, headers: Headers, *, trusted: bool) -> str | None:
        if "header" not in self._rules.priority:
            return None
        try:
            raw = one_header(headers, self._rules.header)
        except BadHost as error:
            if not trusted:
                return None
            raise ill_formed("tenant header sent twice") from error
        if raw is None:
            return None
        if not trusted:
            UNTRUSTED_HEADERS.labels("tenant").inc()
            return None
        slug = raw.decode("latin-1").strip()
        if not is_slug(slug):
            raise ill_formed("tenant header")
        if slug in _NO_TENANTS:
            raise not_found("a special name")
        return slug

    async def _by_host(self, host: str | None) -> Tenant | None:
        """
        By login domain (A08); under the base domain by the first label.

        So nobody's login domain can stand in front of the host that is a tenant's by its slug.
        """
        if host is None:
            return None
        naming = self._rules.naming
        slug = naming.slug_of(host)
        if slug is None:
            if host == naming.base or host in LOOPBACK:
                return None
            return await self._find(f"host:{host}")
        if not is_slug(slug):
            raise ill_formed("label of the host")
        if slug in _NO_TENANTS:
            raise not_found("a special name")
        return await self._find(f"slug:{slug}") or await self._find(f"host:{host}")

    async def _unnamed(self, host: str | None) -> Tenant:
        naming = self._rules.naming
        if "subdomain" in self._rules.priority and host is not None:
            if naming.slug_of(host) is not None:
                raise not_found("label of the host")
            if host != naming.base and host not in LOOPBACK:
                raise not_found("host")
        if self._rules.environment == "development":
            self._warn_of_fallback(host)
            RESOLUTIONS.labels("fallback").inc()
            return await self._known(f"slug:{DEFAULT}")
        raise required()

    def _warn_of_fallback(self, host: str | None) -> None:
        """For the first steps on a laptop, and never elsewhere (features.md A05)."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            _log.warning("tenant.fallback", host=host, tenant=DEFAULT)

    async def _known(self, name: str) -> Tenant:
        tenant = await self._find(name)
        if tenant is None:
            raise not_found(name)
        return self._open(tenant)

    async def _find(self, name: str) -> Tenant | None:
        """Whom the directory has, as far as they are there for requests: the only look into it."""
        tenant = await self._directory.find(name)
        is_canary = tenant is not None and tenant.slug in CANARIES
        return tenant if is_canary == self._rules.canaries else None

    @staticmethod
    def _open(tenant: Tenant) -> Tenant:
        if not tenant.is_active:
            raise not_active(tenant)
        return tenant
