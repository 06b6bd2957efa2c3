"""What lets a client register itself, and what comes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict

from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import AuthMethod, Metadata
from insula.oidc.features.scopes import STANDARD
from insula.oidc.models import Profile, Scopes
from insula.registration.logos import Logo

SHORTEST_LIFE: Final = 300
LONGEST_LIFE: Final = 30 * 86400
MOST_USES: Final = 1000

_HOST: Final = re.compile(r"[a-z0-9.:\[\]-]{1,253}\Z")


def _host(name: str) -> str:
    if not _HOST.match(name):
        raise ValueError("must be a host in lower case, such as app.example")
    return name


class Policy(BaseModel):
    """
    What an initial access token allows; None is what the tenant allows everybody.

    *profile* is the one that its clients get; *redirect_hosts* are whole names of hosts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Profile | None = None
    scopes: tuple[str, ...] | None = None
    redirect_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] | None = None
    auth_methods: tuple[AuthMethod, ...] | None = None

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """The scopes that may be registered (DR-18): no others, whatever a client asks for."""
        return tuple(STANDARD) if self.scopes is None else self.scopes

    def without(self, withheld: Scopes) -> "Policy":
        """The same where some scopes cannot be registered."""
        if not withheld.intersection(self.all_scopes):
            return self
        left = tuple(scope for scope in self.all_scopes if scope not in withheld)
        return self.model_copy(update={"scopes": left})

    def check(self, metadata: Metadata) -> None:
        """Raises `InvalidClientMetadata` for what this policy does not allow."""
        if not set(metadata.scopes) <= set(self.all_scopes):
            raise InvalidClientMetadata("holds one that may not be registered", field="scopes")
        method = metadata.token_endpoint_auth_method
        if self.auth_methods is not None and method not in self.auth_methods:
            raise InvalidClientMetadata(
                f"may be {', '.join(self.auth_methods)}", field="token_endpoint_auth_method"
            )
        if self.redirect_hosts is None:
            return
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            if not all(self._may_go_to(uri) for uri in getattr(metadata, name)):
                raise InvalidClientMetadata("names a host that may not be registered", field=name)

    def _may_go_to(self, uri: str) -> bool:
        """Whether it is at one of the hosts; a private-use scheme leads to none of any name."""
        parts = urlsplit(uri)
        is_web = parts.scheme in {"https", "http"}
        return is_web and parts.hostname in (self.redirect_hosts or ())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A client as it is to be registered, judged already."""

    id: UUID
    client_id: str
    name: str
    metadata: Metadata
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A client that may manage itself, with what it is held to; *issued_at* since 1970."""

    id: UUID
    client_id: str
    name: str
    metadata: Metadata
    policy: Policy
    is_adopted: bool
    issued_at: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client is given once; *issued_at* is when it was registered, since 1970."""

    token: str = field(repr=False)
    secret: str | None = field(repr=False)
    issued_at: int


def read_policy(stored: Mapping[str, Any]) -> Policy:
    """
    Read a stored policy.

    What only another release understands raises `pydantic.ValidationError`: a restriction is
    never dropped.
    """
    return Policy.model_validate(stored)
