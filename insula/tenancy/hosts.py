"""
Host names as they arrive: parsed once, strictly, from raw bytes.

Nothing else reads Host, X-Forwarded-Host or `request.url` (security.md decisions 1 and 2).
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

_LABEL = rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(
    rb"(?P<name>" + _LABEL + rb"(?:\." + _LABEL + rb")*)\.?(?::(?P<port>[0-9]{1,5}))?\Z",
    re.IGNORECASE,
)
_LITERAL = re.compile(rb"\[(?P<name>[0-9a-f:.]{2,45})\](?::(?P<port>[0-9]{1,5}))?\Z", re.IGNORECASE)
_LONGEST_NAME = 253
_LONGEST = _LONGEST_NAME + 7  # a trailing dot, a colon and a port

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Headers = Iterable[tuple[bytes, bytes]]


class BadHost(ValueError):
    """A Host header that names nothing."""


def parse_host(raw: bytes) -> str:
    """
    The host of a raw Host header: lower case, without port and trailing dot.

    Raises `BadHost` for anything but one host name or address literal in ASCII.
    """
    if len(raw) > _LONGEST:
        raise BadHost("too long")
    match = _NAME.match(raw) or _LITERAL.match(raw)
    if match is None:
        raise BadHost("not a host")
    if (port := match["port"]) is not None and not 0 < int(port) < 65536:  # noqa: PLR2004  (clearer than a name)
        raise BadHost("not a port")
    name = match["name"].decode("ascii").lower()
    if raw.startswith(b"["):
        try:
            return str(ipaddress.IPv6Address(name))
        except ValueError as error:
            raise BadHost("not an address") from error
    if len(name) > _LONGEST_NAME:
        raise BadHost("too long")
    return name


def one_header(headers: Headers, name: bytes) -> bytes | None:
    """The value of a header that may be sent once; None if absent. Raises `BadHost` if repeated."""
    found: bytes | None = None
    for key, value in headers:
        if key == name:
            if found is not None:
                raise BadHost("sent twice")
            found = value
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Read an address; one that is IPv4 in IPv6's clothes is IPv4 (security row 61)."""
    parsed = ipaddress.ip_address(text)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


class Networks:
    """A list of CIDR blocks that a peer may be in; empty trusts nobody."""

    def __init__(self, blocks: Sequence[str]) -> None:
        self._blocks = [ipaddress.ip_network(block, strict=False) for block in blocks]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __contains__(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) > 10_000:  # noqa: PLR2004  (a cache of recent peers)
                self._known.clear()
            known = self._known[address] = self._check(address)
        return known

    def _check(self, address: str) -> bool:
        try:
            parsed = _address(address)
        except ValueError:
            return False
        return any(parsed in block for block in self._blocks)


#: Trusted is nobody.
NOBODY: Final = Networks(())


def client_ip(peer: str, forwarded_for: bytes | None, trusted: Networks) -> str:
    """
    The caller's address: the right-most hop that is not a trusted proxy (features.md A03).

    From an untrusted peer the header is ignored. Raises `BadHost` when a trusted proxy sends
    something that is no list of addresses: a bad header refuses, it never skips a check.
    """
    if forwarded_for is None or peer not in trusted:
        return peer
    for hop in reversed(forwarded_for.decode("latin-1").split(",")):
        try:
            caller = str(_address(hop.strip()))
        except ValueError as error:
            raise BadHost("not an address") from error
        if caller not in trusted:
            return caller
    return peer
