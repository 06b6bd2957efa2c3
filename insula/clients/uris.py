"""
The addresses a client may register: redirects, pages of its own, origins.

A redirect target is compared as an exact string later (security row 1), so what could mean more
than one address, or run as a script, is refused here (rows 3, 4, 114).
"""

import ipaddress
import re
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from insula.clients.errors import InvalidClientMetadata

_DANGEROUS: Final = frozenset({"javascript", "data", "file", "vbscript", "blob", "about"})
#: Patterns, characters that no URI may hold, and those that browsers and parsers read apart.
_FORBIDDEN: Final = frozenset('*{}|\\^`<>"')
_LONGEST: Final = 2000
#: A host and a port. Commas and semicolons, which a name may hold by RFC 3986, would end a
#: directive of the policies that we write with it.
_AUTHORITY: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*)(?::[0-9]*)?\Z")
#: A SHA-256, as base64url.
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")

ApplicationType = Literal["web", "native"]


def _split(uri: str, field: str, example: str) -> SplitResult:
    """Take *uri* apart. Raises `InvalidClientMetadata` for what no kind of address may hold."""

    def refuse(why: str) -> InvalidClientMetadata:
        return InvalidClientMetadata(why, field=field, example=example)

    if len(uri) > _LONGEST:
        raise refuse(f"may be {_LONGEST} characters long")
    if _FORBIDDEN & set(uri) or not all("!" <= character <= "~" for character in uri):
        raise refuse("may hold no wildcard, space or other forbidden character")
    try:
        parts = urlsplit(uri)
        _ = parts.port  # parsed when it is asked for
    except ValueError as error:
        raise refuse("is not a URI") from error
    if not parts.scheme or parts.scheme in _DANGEROUS:
        raise refuse("has no scheme, or a dangerous one")
    if "#" in uri:
        raise refuse("may hold no fragment")
    if "@" in parts.netloc:
        raise refuse("may hold no user name")
    if parts.scheme in {"https", "http"} and not parts.hostname:
        raise refuse("names no host")
    if not _AUTHORITY.match(parts.netloc):
        raise refuse("names a host of letters that no host has")
    return parts


def check_redirect_uri(
    uri: str, field: str, application_type: ApplicationType, *, development: bool
) -> None:
    """
    Allow https; http to a loopback address and a private-use scheme for native applications.

    In *development* loopback http is for every type. Raises `InvalidClientMetadata`.
    """
    example = "https://app.example/callback"
    parts = _split(uri, field, example)
    native = application_type == "native"
    if parts.scheme == "https":
        return
    if parts.scheme == "http":
        if _is_loopback_literal(parts) and (development or native):
            return
        why = "must be https; http is for loopback addresses of native applications"
    elif native and "." in parts.scheme:  # RFC8252-7.1
        return
    else:
        why = "must be https, or a private-use scheme with a dot for a native application"
    raise InvalidClientMetadata(why, field=field, example=example)


def check_page(uri: str, field: str) -> None:
    """Allow an https address of a page. Raises `InvalidClientMetadata`."""
    check_endpoint(uri, field, development=False, example="https://app.example/about")


def check_endpoint(
    uri: str, field: str, *, development: bool, example: str = "https://app.example/oidc"
) -> None:
    """
    Allow an https address that a browser or we ourselves call.

    In *development* loopback http too. Raises `InvalidClientMetadata`.
    """
    parts = _split(uri, field, example)
    local = development and parts.scheme == "http" and _is_loopback_literal(parts)
    if parts.scheme != "https" and not local:
        raise InvalidClientMetadata("must be an https address", field=field, example=example)


def check_request_uri(uri: str, field: str, *, development: bool) -> None:
    """
    Allow where a request object is fetched; a fragment may tell its digest (OIDCC-6.2).

    Raises `InvalidClientMetadata`.
    """
    example = "https://app.example/request.jwt"
    address, mark, digest = uri.partition("#")
    check_endpoint(address, field, development=development, example=example)
    if mark and not _DIGEST.match(digest):
        raise InvalidClientMetadata(
            "has a fragment that is no digest", field=field, example=example
        )


def same_origin(one: str, other: str) -> bool:
    """Whether scheme, host and port are the same, a scheme's own port told or not."""
    return _origin(one) == _origin(other)


def _origin(uri: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(uri)
    port = parts.port if parts.port is not None else {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def check_origin(origin: str, field: str, *, development: bool) -> None:
    """Allow what a browser would send as Origin. Raises `InvalidClientMetadata`."""
    example = "https://app.example"
    parts = _split(origin, field, example)
    plain = f"{parts.scheme}://{parts.netloc}" == origin == origin.lower()
    local = development and parts.scheme == "http" and _is_loopback_literal(parts)
    if not (plain and (parts.scheme == "https" or local)):
        raise InvalidClientMetadata("must be an origin", field=field, example=example)


def _is_loopback_literal(parts: SplitResult) -> bool:
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
