"""When two http(s) addresses mean the same place: RFC3986-6."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
#: What an address may hold (RFC3986-2); Python would silently drop some of the rest.
_ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+\Z")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]\Z")


def normal(address: str) -> str | None:
    """
    Write an http(s) address as all that mean the same are written; None for no such address.

    Scheme and host in lower case, no default port, the path without dot segments and needless
    escapes, query and fragment left out (DPOP-4.3, RFC3986-6.2.2 and 6.2.3).
    """
    if not _ADDRESS.match(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return _rebuilt(parts, port)


def _rebuilt(parts: SplitResult, port: int | None) -> str:
    host = parts.hostname or ""
    where = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        where += f":{port}"
    return f"{parts.scheme}://{where}{_normal_path(parts.path)}"


def _normal_path(path: str) -> str:
    segments: list[str] = []
    names = _ESCAPE.sub(_unescape, path).split("/")[1:]
    for name in names:
        if name == "..":
            del segments[-1:]
        elif name != ".":
            segments.append(name)
    if names and names[-1] in {".", ".."}:
        segments.append("")  # it named a folder
    return "/" + "/".join(segments)


def _unescape(escape: re.Match[str]) -> str:
    char = chr(int(escape[1], 16))
    return char if _UNRESERVED.match(char) else escape[0].upper()
