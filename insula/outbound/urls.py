"""
The URLs that may be asked, taken apart once, so that what is checked is what is used.

One strict grammar instead of a lenient parser: whatever two parsers could read differently
(credentials, backslashes, white space, odd spellings of addresses, letters outside ASCII) is
refused.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from insula.outbound.errors import AddressRefused

_LONGEST: Final = 2048
_LONGEST_NAME: Final = 253
_HIGHEST_PORT: Final = 65535
_PORTS: Final = {"https": 443, "http": 80}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#\\]*)(?P<target>[^#\\]*)(?:#[^\\]*)?\Z"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?\Z")
_VISIBLE = re.compile(r"[!-~]+\Z")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
#: Ends like this are addresses to a C library: 127.1, 2130706433, 0x7f.0.0.1, 1.0x1.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """
    A URL in the form in which it is checked, looked up, connected to and sent.

    *host* is a name in lower case or an address without brackets, of which *literal* is the value;
    *path* holds the query too. The fragment is dropped: it is never sent (RFC9110-4.2.5).
    """

    scheme: str
    host: str
    port: int
    path: str
    literal: IPv4Address | IPv6Address | None

    @property
    def authority(self) -> str:
        """`host:port` with the port always written, an IPv6 address in brackets."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def host_header(self) -> str:
        """What the Host header says: without the port where it is the scheme's own."""
        if self.port == _PORTS[self.scheme]:
            return _bracketed(self.host)
        return self.authority


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse(url: str) -> Target:
    """Take *url* apart. Raises `AddressRefused` for one that no host should be asked with."""
    if len(url) > _LONGEST:
        raise _refused(f"longer than {_LONGEST} characters")
    if not _VISIBLE.match(url):
        raise _refused("characters that a URL does not hold")
    found = _URL.match(url)
    if found is None:
        raise _refused("no absolute URL")
    scheme = found["scheme"].lower()
    if scheme not in _PORTS:
        raise _refused("a scheme other than https")
    host, port, literal = _authority(found["authority"], _PORTS[scheme])
    path = found["target"]
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}", literal)


def canonical(authority: str) -> str:
    """
    Write `host:port` as `Target.authority` does; the port must be given.

    Raises `AddressRefused`.
    """
    host, port, _ = _authority(authority, None)
    return f"{_bracketed(host)}:{port}"


def _authority(
    text: str, default_port: int | None
) -> tuple[str, int, IPv4Address | IPv6Address | None]:
    found = _AUTHORITY.match(text)
    if found is None:
        raise _refused("an authority that is more or less than a host and a port")
    port = int(found["port"]) if found["port"] else default_port
    if port is None:
        raise _refused("no port")
    if not 0 < port <= _HIGHEST_PORT:
        raise _refused("a port that does not exist")
    host, literal = _host(found["host"].lower())
    return host, port, literal


def _host(text: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    try:
        if text.startswith("["):
            six = IPv6Address(text[1:-1])
            return str(six), six
        if _NUMERIC_END.match(text):
            four = IPv4Address(text)
            return str(four), four
    except ValueError:
        raise _refused("an address in no usual notation") from None
    if len(text) > _LONGEST_NAME or not _NAME.match(text):
        raise _refused("no host name")
    return text, None


def _refused(reason: str) -> AddressRefused:
    return AddressRefused("This URL cannot be used.", field="url", detail=reason)
