"""
What is refused at the start although each variable by itself is well formed (features.md Z08).

Development forgives most of it, so that a laptop needs no ceremony.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from insula.accounts.settings import PasswordPolicy
from insula.platform.variable_kinds import LOOPBACK_CIDRS, Mistake, password_of
from insula.platform.variables import Settings, example, variable
from insula.tenancy.hosts import LOOPBACK, Networks

_SHORTEST_PASSWORD: Final = 12
_SHORTEST_PROXY_SECRET: Final = 32
#: 32 random bytes hold fewer different ones less often than once in 10^20 draws.
_FEWEST_DIFFERENT_BYTES: Final = 16
_FEWEST_DIFFERENT_CHARACTERS: Final = 5
#: What stands in passwords that somebody copied from an example, this project's own included.
_EXAMPLES: Final = ("changeme", "password", "insula", "postgres")


def _mistake(field: str, wrong: str, right: str = "") -> Mistake:
    return Mistake(variable(field), wrong, right or example(field))


def mistakes(settings: Settings, unread: Iterable[str] = ()) -> Iterator[Mistake]:
    """Find what the variables may not be together; *unread* could not be read at all."""
    yield from _anywhere(settings)
    if settings.env != "development" and "env" not in unread:
        yield from _outside_development(settings)


def _anywhere(settings: Settings) -> Iterator[Mistake]:
    email, password = settings.bootstrap_admin()
    if password and not email:
        yield _mistake("bootstrap_admin_email", "is not set, though the password is")
    if email and not password:
        yield _mistake("bootstrap_admin_password", "is not set, though the address is")
    if (
        settings.multi_tenancy_enabled
        and settings.base_domain
        and _is_address(settings.base_domain)
    ):
        yield _mistake("base_domain", "is an address, under which no tenant's host can stand")
    yield from _ports(settings)
    app, platform = settings.database_url, settings.database_platform_url
    if app and platform:
        role = urlsplit(app.get_secret_value()).username
        if role == urlsplit(platform.get_secret_value()).username:
            yield _mistake(
                "database_platform_url", f"has the role of {variable('database_url')}, {role}"
            )


def _ports(settings: Settings) -> Iterator[Mistake]:
    """Ports of their own, and whether there is one process for that of `serve`."""
    taken = [("port", settings.port)]
    for field in ("ops_port", "worker_port"):
        port = getattr(settings, field)
        for other, number in taken:
            if port == number:
                yield _mistake(field, f"is {variable(other)} too, {port}")
        if port is not None:
            taken.append((field, port))
    if settings.ops_port is not None and settings.workers > 1:
        yield _mistake(
            "ops_port",
            f"is one port for {settings.workers} processes, of which one alone can have it",
            f"{variable('workers')}=1",
        )


def _outside_development(settings: Settings) -> Iterator[Mistake]:
    if settings.public_port is not None:
        yield _mistake(
            "public_port", "is for development; remove it", f"{variable('env')}=development"
        )
    if not settings.cookie_secure:
        yield _mistake("cookie_secure", "may be off in development alone")
    if settings.env == "production" and settings.outbound_allow:
        yield _mistake(
            "outbound_allow", "is for tests; remove it", f"{variable('env')}=development"
        )
    for field in ("trusted_proxies", "multi_tenancy_header_trusted_cidrs"):
        if any(_is_everybody(block) for block in getattr(settings, field)):
            yield _mistake(field, "trusts everybody; name the networks of your own machines")
    yield from _weak_keys(settings)
    yield from _weak_passwords(settings)


def _weak_keys(settings: Settings) -> Iterator[Mistake]:
    keys = {
        field: getattr(settings, field).get_secret_value()
        for field in ("secrets_key", "hmac_key")
        if getattr(settings, field) is not None
    }
    for field, key in keys.items():
        if len(set(key)) < _FEWEST_DIFFERENT_BYTES:
            yield _mistake(field, "was not drawn at random")
    if len(keys) > len(set(keys.values())):
        yield _mistake("hmac_key", f"is the same as {variable('secrets_key')}")


def _weak_passwords(settings: Settings) -> Iterator[Mistake]:
    for field in ("database_url", "database_platform_url", "database_owner_url", "redis_url"):
        secret = getattr(settings, field)
        password = secret and password_of(secret.get_secret_value())
        if password and (len(password) < _SHORTEST_PASSWORD or _is_usual(password)):
            yield _mistake(
                field,
                f"has a password of less than {_SHORTEST_PASSWORD} characters, or a usual one",
            )
    redis = settings.redis_url_text()
    if redis and not password_of(redis) and not _is_near(redis):
        yield _mistake("redis_url", "has no password, and its server is on another machine")
    least = PasswordPolicy.model_validate({}).min_length
    _, first = settings.bootstrap_admin()
    if first and (len(first) < least or _is_usual(first)):
        yield _mistake(
            "bootstrap_admin_password", f"has less than {least} characters, or is a usual one"
        )
    proxy = settings.proxy_secret_bytes()
    if proxy and len(proxy) < _SHORTEST_PROXY_SECRET:
        yield _mistake("proxy_secret", f"has less than {_SHORTEST_PROXY_SECRET} characters")


def _is_usual(password: str) -> bool:
    letters = "".join(filter(str.isalnum, password.lower()))
    repeats = len(set(password)) < _FEWEST_DIFFERENT_CHARACTERS
    return repeats or any(word in letters for word in _EXAMPLES)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_everybody(block: str) -> bool:
    return ipaddress.ip_network(block, strict=False).prefixlen == 0


def _is_near(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "unix" or host in LOOPBACK or host in Networks(LOOPBACK_CIDRS)


def warnings(settings: Settings) -> list[str]:
    """Find what may be meant, and is worth a line at every start."""
    found = []
    if settings.redis_url is None:
        found.append(
            f"{variable('redis_url')} is not set: other processes notice a change by the poll, "
            f"within {settings.poll_seconds:g} s instead of at once"
        )
    if (
        settings.multi_tenancy_enabled
        and "header" in settings.multi_tenancy_extraction_priority
        and not settings.multi_tenancy_header_trusted_cidrs
    ):
        found.append(
            f"{variable('multi_tenancy_header_trusted_cidrs')} is empty: the strategy 'header' "
            "does nothing"
        )
    if settings.env != "development" and not settings.trusted_proxies:
        found.append(
            f"{variable('trusted_proxies')} is empty: behind a proxy all callers share its "
            "address, and with it the limits of one caller"
        )
    if settings.env != "development" and settings.outbound_allow:
        found.append(
            f"{variable('outbound_allow')} is set: every tenant can have requests made of "
            f"{', '.join(settings.outbound_allow)}"
        )
    if settings.bootstrap_admin_password is not None:
        found.append(
            f"{variable('bootstrap_admin_email')} and {variable('bootstrap_admin_password')} are "
            "still set: make a permanent administrator, then remove them"
        )
    return found
