"""Pushed requests and values that count once, in memory."""

from dataclasses import dataclass
from uuid import uuid4

from insula.kernel import clock
from insula.oidc.artefacts import NewPushed, TakenPush, UsedUp
from insula.oidc.errors import Unreachable
from insula.oidc.memory.people import BROWSER_COOKIE
from insula.oidc.memory.wire import Wire
from insula.oidc.models import Caller, Client
from insula.oidc.ports import Cookies

STARTED_FOR = 600


@dataclass
class _Pushed:
    new: NewPushed
    expires_at: float
    browser: str | None = None
    is_completed: bool = False


class MemoryRequests:
    """What the network would serve is in *pages*, by its address."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.pushed: dict[str, _Pushed] = {}
        self.seen: dict[tuple[str, str, str], float] = {}
        self.pages: dict[str, bytes] = {}

    async def push(self, pushed: NewPushed, caller: Caller) -> None:  # noqa: ARG002  (the port's)
        await self._wire.trip("push")
        self.pushed[pushed.reference] = _Pushed(pushed, clock.now() + pushed.lifetime)

    async def take(self, reference: str, client: Client, cookies: Cookies) -> TakenPush | None:
        await self._wire.trip("take")
        kept = self.pushed.get(reference)
        if kept is None or kept.new.client.id != client.id or kept.is_completed:
            return None
        if kept.expires_at <= clock.now():
            return None
        browser, headers = cookies.get(BROWSER_COOKIE), tuple[str, ...]()
        if kept.browser is not None:
            return TakenPush(kept.new.parameters) if kept.browser == browser else None
        if not browser:
            browser = uuid4().hex
            headers = (f"{BROWSER_COOKIE}={browser}; HttpOnly",)
        kept.browser, kept.expires_at = browser, clock.now() + STARTED_FOR
        return TakenPush(kept.new.parameters, {BROWSER_COOKIE: browser}, headers)

    def complete(self, client: Client, used: UsedUp) -> bool:
        """Use up a pushed request and a signed one, both or neither."""
        kept = self.pushed.get(used.pushed) if used.pushed else None
        if used.pushed and (kept is None or kept.is_completed):
            return False
        if used.request_object:
            place = ("request_object", client.client_id, used.request_object)
            if place in self.seen:
                return False
            self.seen[place] = clock.now() + STARTED_FOR
        if kept is not None:
            kept.is_completed = True
        return True

    async def fetch(self, uri: str) -> bytes:
        await self._wire.trip("fetch")
        page = self.pages.get(uri)
        if page is None:
            raise Unreachable(f"nothing at {uri}")
        return page

    async def is_first(self, kind: str, subject: str, value: str, lifetime: int) -> bool:
        await self._wire.trip("is_first")
        place, now = (kind, subject, value), clock.now()
        if self.seen.get(place, 0) > now:
            return False
        self.seen[place] = now + lifetime
        return True
