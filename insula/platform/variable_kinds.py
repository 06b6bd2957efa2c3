"""
The kinds of values that variables hold: how each is read, and what of it may be shown.

A refusal here says what is wrong and never repeats a secret.
"""

import ipaddress
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretBytes, SecretStr

from insula.kernel.crypto import parse_key
from insula.kernel.settings import MASK
from insula.outbound.errors import AddressRefused
from insula.outbound.urls import canonical
from insula.tenancy.resolution import STRATEGIES, Strategy

LOOPBACK_CIDRS: Final = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a field whose value may come from a file and is masked, of a URL the password alone."""

    is_url: bool = False


SECRET: Final = Secret()
SECRET_URL: Final = Secret(is_url=True)

_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_DNS_PORT: Final = 53
_LONGEST_BASE = 189  # 253 of a name, less the longest label and its dot
_TAKEN_HEADERS = frozenset(
    {"host", "cookie", "authorization", "forwarded", "content-length", "content-type"}
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend: the variable, what is wrong with it, and a line that would be right."""

    name: str
    wrong: str
    example: str

    def __str__(self) -> str:
        return f"{self.name}: {self.wrong}; for example {self.example}"


def items(text: object) -> object:
    """Split a comma-separated list; anything that is no text stays as it is."""
    if not isinstance(text, str):
        return text
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


def _domain(text: str) -> str:
    text = text.strip().lower()
    if "/" in text or ":" in text:
        raise ValueError(f"'{text}' is more than a domain; leave out scheme, port and path")
    if len(text) > _LONGEST_BASE or not _DOMAIN.match(text):
        raise ValueError(f"'{text}' is no domain name")
    return text


def _header_name(text: str) -> str:
    text = text.strip().lower()
    if not _HEADER_NAME.match(text):
        raise ValueError(f"'{text}' is no name of a header")
    if text in _TAKEN_HEADERS:
        raise ValueError(f"'{text}' means something else already")
    return text


def _cidrs(blocks: tuple[str, ...]) -> tuple[str, ...]:
    for block in blocks:
        if block == "*":
            raise ValueError("'*' is no network; name the networks that your own machines are in")
        try:
            ipaddress.ip_network(block, strict=False)
        except ValueError:
            raise ValueError(f"'{block}' is no network in CIDR notation") from None
    return blocks


def _host_ports(pairs: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(map(canonical, pairs))
    except AddressRefused:
        raise ValueError("holds more or less than exact pairs host:port") from None


def name_server(text: str) -> tuple[str, int]:
    """Read `address` or `address:port`, an IPv6 address in brackets. Raises ValueError."""
    address, colon, port = text, "", ""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
    elif text.count(":") == 1:
        address, colon, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    if colon not in ("", ":") or (colon and not 0 < number < 65536):  # noqa: PLR2004  (clearer than a name)
        raise ValueError("not a port")
    return str(ipaddress.ip_address(address)), number or _DNS_PORT


def _name_servers(servers: tuple[str, ...]) -> tuple[str, ...]:
    for server in servers:
        try:
            name_server(server)
        except ValueError:
            raise ValueError(f"'{server}' is no address of a name server") from None
    return servers


def _authorities(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        raise ValueError(f"'{path}' cannot be read as certificates in PEM") from None
    return path


def _priority(text: object) -> object:
    names = items(text)
    if not isinstance(names, tuple):
        return text
    for name in names:
        if name not in STRATEGIES:
            raise ValueError(f"'{name}' is no strategy; known are {', '.join(STRATEGIES)}")
    if len(set(names)) < len(names):
        raise ValueError("names a strategy twice")
    if not names:
        raise ValueError("names no strategy")
    return names


def _level(text: object) -> object:
    return text.upper() if isinstance(text, str) else text


def _split(text: str) -> SplitResult:
    """Take a URL apart. Raises ValueError that repeats nothing of it."""
    try:
        parts = urlsplit(text.strip())
        whole = "@" not in parts.path and not parts.fragment and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("is no URL; in a password : / ? # @ are percent-encoded")
    return parts


def _database_url(secret: SecretStr) -> SecretStr:
    parts = _split(secret.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("does not begin with postgresql://")
    if not parts.username:
        raise ValueError("names no role")
    if parts.path in ("", "/"):
        raise ValueError("names no database")
    return SecretStr(parts.geturl())


def _redis_url(secret: SecretStr) -> SecretStr:
    parts = _split(secret.get_secret_value())
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError("does not begin with redis:// or rediss://")
    if parts.scheme != "unix" and not parts.hostname:
        raise ValueError("names no host")
    return SecretStr(parts.geturl())


def _header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("holds more than visible ASCII characters")
    return SecretStr(text)


def _key(text: object) -> object:
    return parse_key(text) if isinstance(text, str) else text


def _keys(text: object) -> object:
    found = items(text)
    return tuple(map(_key, found)) if isinstance(found, tuple) else found


Domain = Annotated[str, AfterValidator(_domain)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Cidrs = Annotated[tuple[str, ...], BeforeValidator(items), AfterValidator(_cidrs)]
HostPorts = Annotated[tuple[str, ...], BeforeValidator(items), AfterValidator(_host_ports)]
NameServers = Annotated[tuple[str, ...], BeforeValidator(items), AfterValidator(_name_servers)]
AuthorityFile = Annotated[Path, AfterValidator(_authorities)]
Priority = Annotated[tuple[Strategy, ...], BeforeValidator(_priority)]
LevelText = BeforeValidator(_level)
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_header_value)]
Key = Annotated[SecretBytes, BeforeValidator(_key)]
Keys = Annotated[tuple[SecretBytes, ...], BeforeValidator(_keys)]


def password_of(url: str) -> str | None:
    """Find the password that a URL carries, wherever it stands in it."""
    parts = urlsplit(url)
    return parts.password or next((v for k, v in parse_qsl(parts.query) if k == "password"), None)


def masked_url(url: str) -> str:
    """Take the password out of a URL, also where it is a parameter."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if user:
        name, colon, _password = user.partition(":")
        user = f"{name}{colon}{MASK if colon else ''}@"
    query = urlencode(
        [(k, MASK if "password" in k.lower() else v) for k, v in parse_qsl(parts.query)],
        safe="*/",
        quote_via=quote,
    ).replace(quote(MASK), MASK)
    return parts._replace(netloc=user + host, query=query).geturl()


def shown(value: Any, secret: Secret | None) -> str:  # noqa: ANN401  (any value of any field)
    """Show a value as `insula config` prints it; empty when it is not set."""
    if value is None or value == ():
        return ""
    if isinstance(value, tuple) and secret is None:
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    if secret is not None:
        is_text = secret.is_url and isinstance(value, SecretStr)
        return masked_url(value.get_secret_value()) if is_text else MASK
    return str(value)
