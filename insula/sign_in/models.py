"""What an interaction needs and what a session is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from insula.ui.icons import OTHER_SCOPE_ICON, SCOPE_ICONS
from insula.ui.views import ScopeLine

Kind = Literal["authorize", "sign_in", "sign_out"]
Need = Literal["login", "select_account", "consent", "sign_out"]

#: How a password counts: a knowledge factor, level one (RFC8176, NIST AAL1).
PASSWORD_AMR = ("pwd",)
PASSWORD_ACR = "urn:insula:acr:1"


_TUPLES = ("scopes", "optional_scopes", "granted", "audiences")


@dataclass(frozen=True, slots=True)
class Prompt:
    """
    What the person is asked, in words that need no protocol.

    *application* and *host* say who asks and where the browser goes next; *proved* is the
    person whose password was right but must be replaced before a session begins, *proved_by* the
    digest of the hash that it fitted: a newer password ends the step.
    """

    need: Need
    application: str = ""
    application_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    first_party: bool = False
    host: str = ""
    scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    #: What was allowed before, so that the page can show what is new; whom the scopes are for.
    granted: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    #: An administrator has looked at the application.
    verified: bool = True
    #: Title and explanation of the tenant's own scopes.
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: A path of this host.
    logo: str = ""
    login_hint: str = ""
    fresh: bool = False
    return_to: str = ""
    proved: str = ""
    proved_by: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Prompt":
        """Read a stored prompt; what another release added to it is left out."""
        known = {name: value[name] for name in cls.__slots__ if name in value}
        known |= {name: tuple(known[name]) for name in _TUPLES if name in known}
        known["texts"] = {k: (v[0], v[1]) for k, v in known.get("texts", {}).items()}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Interaction:
    """A step a person has to take, as stored; bound to one browser."""

    id: UUID
    kind: Kind
    client_id: UUID | None
    prompt: Prompt
    session_id: UUID | None
    step_expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in in this browser; *token* is this browser's own."""

    session_id: UUID
    user_id: UUID
    username: str
    email: str | None
    display_name: str | None
    token: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.display_name or self.username


#: Scopes in plain words: title and explanation.
_SCOPES: Mapping[str, tuple[str, str]] = {
    "openid": ("Know that it is you", "A stable number for you at this application"),
    "profile": ("See who you are", "Name and username"),
    "email": ("See your e-mail address", "The address and whether it is confirmed"),
    "phone": ("See your phone number", "The number and whether it is confirmed"),
    "address": ("See your postal address", "The address in your profile"),
    "offline_access": (
        "Stay connected while you are away",
        "Without it you sign in again each time.",
    ),
}


def describe(
    scopes: tuple[str, ...],
    optional: tuple[str, ...],
    texts: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    *,
    granted: tuple[str, ...] = (),
) -> list[ScopeLine]:
    """
    The scopes of a consent page, in the order people read them.

    *texts* are title and explanation of the tenant's own scopes. Where something was *granted*
    before, the rest is marked as new.
    """
    known = [scope for scope in _SCOPES if scope in scopes]
    lines = []
    for scope in [*known, *[scope for scope in scopes if scope not in _SCOPES]]:
        title, text = _SCOPES.get(scope) or texts.get(scope, ("", ""))
        lines.append(
            ScopeLine(
                scope,
                SCOPE_ICONS.get(scope, OTHER_SCOPE_ICON),
                title or f"Use “{scope}”",
                text or "A permission of this application",
                scope not in optional,
                new=bool(granted) and scope not in granted,
            )
        )
    return lines
