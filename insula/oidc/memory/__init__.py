"""
The ports in memory, for tests; nothing of it serves anyone.

The semantics are those of the database: a trip really yields to others, and then one act
happens as a whole. What is spent stays known, so that a replay is recognised.
"""

from insula.oidc.memory.clients import MAX_FAILURES, MemoryClients
from insula.oidc.memory.devices import MemoryDevices
from insula.oidc.memory.pages import PlainPages
from insula.oidc.memory.people import BROWSER_COOKIE, SESSION_COOKIE, MemoryPeople
from insula.oidc.memory.registrations import MemoryRegistrations
from insula.oidc.memory.requests import MemoryRequests
from insula.oidc.memory.tokens import MemoryTokens
from insula.oidc.memory.wire import Wire

__all__ = ["BROWSER_COOKIE", "MAX_FAILURES", "SESSION_COOKIE", "Host"]


class Host:
    """All ports over one wire."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.clients = MemoryClients()
        self.people = MemoryPeople(self.wire)
        self.requests = MemoryRequests(self.wire)
        self.registrations = MemoryRegistrations(self.wire)
        self.tokens = MemoryTokens(self.wire, self.clients, self.people, self.requests)
        self.devices = MemoryDevices(self.wire, self.tokens)
        self.pages = PlainPages()
