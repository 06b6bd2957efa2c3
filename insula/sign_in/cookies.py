"""
The two cookies of a tenant's host: the browser's, before anybody signed in, and the session's.

Host-only by their `__Host-` prefix, so tenants cannot see each other's; over plain http, which
only development speaks, browsers refuse the prefix and the names are plain. The session
cookie begins with the tenant's id, so that a foreign one is seen without reading a row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from insula.kernel.ids import Kind, new_secret

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """Tokens of the people signed in here, the present first; *foreign* when not this tenant's."""

    tokens: tuple[str, ...] = ()
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Jar:
    """Reads and writes the cookies; *secure* is whether the installation speaks https."""

    secure: bool

    @property
    def session_name(self) -> str:
        return "__Host-insula_session" if self.secure else "insula_session"

    @property
    def browser_name(self) -> str:
        return "__Host-insula_browser" if self.secure else "insula_browser"

    def _write(self, name: str, value: str, *, gone: bool = False) -> str:
        parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.secure:
            parts.append("Secure")
        if gone:
            parts.append("Max-Age=0")
        return "; ".join(parts)

    def read_session(self, cookies: Mapping[str, str], tenant_id: UUID) -> SessionCookie:
        """What the session cookie says; an ill-formed or empty one says nothing and is cleared."""
        value = cookies.get(self.session_name)
        if value is None:
            return SessionCookie()
        owner, *tokens = value.split(".")
        if len(value) > _LONGEST or owner != tenant_id.hex or not tokens:
            return SessionCookie(foreign=True)
        if not all(_TOKEN.match(token) for token in tokens):
            return SessionCookie(foreign=True)
        return SessionCookie(tuple(tokens))

    def write_session(self, tenant_id: UUID, tokens: tuple[str, ...]) -> str:
        """The Set-Cookie value for these tokens; without tokens, the one that clears it."""
        if not tokens:
            return self._write(self.session_name, "", gone=True)
        return self._write(self.session_name, ".".join((tenant_id.hex, *tokens)))

    def read_browser(self, cookies: Mapping[str, str]) -> str | None:
        value = cookies.get(self.browser_name, "")
        return value if _TOKEN.match(value) else None

    def new_browser(self) -> tuple[str, str]:
        """A fresh browser secret and its Set-Cookie value."""
        value = new_secret(Kind.BROWSER)
        return value, self._write(self.browser_name, value)
