"""Who is signed in here: in memory, found by a random cookie, gone when the program ends."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from insula.platform.demo.relying_party import Pending, SignIn

COOKIE = "insula_demo"
_MOST_SESSIONS = 1000
_MOST_PENDING = 10


@dataclass
class Session:
    """One browser: signed in at any of the tenants, each on its own."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    pending: OrderedDict[str, Pending] = field(default_factory=OrderedDict)
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    signing_out: dict[str, str] = field(default_factory=dict)

    def expect(self, state: str, pending: Pending) -> None:
        self.pending[state] = pending
        while len(self.pending) > _MOST_PENDING:
            self.pending.popitem(last=False)

    def take(self, state: str, slug: str) -> Pending | None:
        """Give the sign-in that this browser began at *slug* with *state*, once."""
        pending = self.pending.pop(state, None)
        if pending is None or pending.slug != slug or pending.is_stale():
            return None
        return pending


class Sessions:
    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Session] = OrderedDict()

    def find(self, session_id: str | None) -> Session | None:
        return None if session_id is None else self._by_id.get(session_id)

    def keep(self, session: Session) -> Session:
        self._by_id[session.id] = session
        while len(self._by_id) > _MOST_SESSIONS:
            self._by_id.popitem(last=False)
        return session

    def renew(self, session: Session) -> Session:
        """Give the session a new id, so that one known before the sign-in is worth nothing."""
        self._by_id.pop(session.id, None)
        session.id = secrets.token_urlsafe(32)
        return self.keep(session)
