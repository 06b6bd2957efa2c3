"""
What the auth pages show, as the smallest things a template needs.

Plain tuples with names: the packages that fill them keep their own models, and a
template never sees more of a person or a client than stands here.
"""

import hashlib
from typing import Literal, NamedTuple

from insula.ui.branding import Branding

_HUES = 6  # of avatars in insula.css: neutral, and five tints


class Person(NamedTuple):
    """Who is signed in; *hue* is `hue_of` the account's id."""

    name: str
    email: str
    hue: int


class Account(NamedTuple):
    """One line of the account chooser; *id* is what its button posts."""

    id: str
    name: str
    email: str
    hue: int
    state: str


class App(NamedTuple):
    """
    The application that asks; *host* is where the person goes next.

    *first_party* says that the tenant runs it; an application's own word is not enough. *verified*
    says that an administrator has looked at it. *logo_url* is an address of this host.
    """

    name: str
    host: str
    uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    first_party: bool
    initials: str
    verified: bool = True
    logo_url: str | None = None


class ScopeLine(NamedTuple):
    """
    One thing that is asked for, in plain words.

    What is not *required* can be switched off; *new* was not allowed to this application before.
    """

    name: str
    icon: str
    title: str
    text: str
    required: bool
    new: bool = False


def hue_of(account_id: str) -> int:
    return hashlib.sha256(account_id.encode()).digest()[0] % _HUES


def initials(name: str) -> str:
    """
    Shorten a name for its avatar: first and last word.

    One letter for scripts that join their letters or write whole words in one;
    those start beyond the Latin letters.
    """
    words = name.split()
    if not words:
        return ""
    first = words[0][0]
    letters = first + words[-1][0] if len(words) > 1 and first < "\u0250" else first
    return letters.upper()


class NavItem(NamedTuple):
    """One line of a panel's menu."""

    label: str
    icon: str
    href: str


class NavGroup(NamedTuple):
    """Lines that belong together; the first group has no label."""

    label: str
    items: tuple[NavItem, ...]


class ApiCall(NamedTuple):
    """What a page does, as a program does it; words in capitals are to be filled in."""

    method: str
    url: str
    scope: str
    body: str = ""

    @property
    def curl(self) -> str:
        """The call for a shell, with the token in a variable."""
        lines = [f"curl -X {self.method} '{self.url}'", '-H "Authorization: Bearer $TOKEN"']
        if self.body:
            lines += ["-H 'Content-Type: application/json'", f"-d '{self.body}'"]
        return " \\\n  ".join(lines)


class Shell(NamedTuple):
    """
    What surrounds a page of a panel: whose it is, where one is in it, and who is looking.

    *branding* is the tenant's, and None on the platform, which wears nobody's colours. *here* is
    the address of the page, for a form that comes back to it; *api* is what it does as a call.
    """

    scope: Literal["tenant", "platform"]
    name: str
    host: str
    letter: str
    home: str
    jump_url: str
    jump_label: str
    groups: tuple[NavGroup, ...]
    current: str
    person: Person
    role: str
    zone: str
    csrf_token: str
    here: str
    api: ApiCall | None = None
    branding: Branding | None = None
