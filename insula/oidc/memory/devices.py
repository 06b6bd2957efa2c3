"""Devices that wait for a person, in memory."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from insula.kernel import clock
from insula.oidc.artefacts import ApprovedDevice, DeviceRedemption, NewDevice, Poll, PollState
from insula.oidc.memory.tokens import MemoryTokens
from insula.oidc.memory.wire import Wire
from insula.oidc.models import Caller, Client, Person, Scopes, Session

LONGEST_INTERVAL = 60


@dataclass
class _Device:
    new: NewDevice
    expires_at: float
    interval: int
    issue_id: UUID
    status: PollState = "pending"
    polled_at: float = float("-inf")
    scopes: Scopes = frozenset()
    session: Session | None = None
    person: Person | None = None


class MemoryDevices:
    def __init__(self, wire: Wire, tokens: MemoryTokens) -> None:
        self._wire = wire
        self._tokens = tokens
        self.waiting: dict[str, _Device] = {}

    # what the pages of the host do

    def _by_user_code(self, user_code: str) -> _Device:
        plain = user_code.replace("-", "")
        return next(d for d in self.waiting.values() if d.new.user_code == plain)

    def approve(self, user_code: str, session: Session, person: Person) -> None:
        device = self._by_user_code(user_code)
        device.status, device.session, device.person = "approved", session, person
        device.scopes = device.new.scopes

    def deny(self, user_code: str) -> None:
        self._by_user_code(user_code).status = "denied"

    # the port

    async def begin(self, device: NewDevice, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("begin_device")
        if any(waits.new.user_code == device.user_code for waits in self.waiting.values()):
            return False
        ends = clock.now() + device.lifetime
        self.waiting[device.device_code] = _Device(device, ends, device.interval, uuid4())
        return True

    async def poll(self, device_code: str, client: Client) -> Poll | None:
        await self._wire.trip("poll_device")
        device = self.waiting.get(device_code)
        if device is None or device.new.client.id != client.id:
            return None
        now = clock.now()
        is_too_fast = now < device.polled_at + device.interval
        device.polled_at = now
        if is_too_fast:
            device.interval = min(device.interval + 5, LONGEST_INTERVAL)
        if device.status == "redeemed":
            return Poll("redeemed")
        if device.expires_at <= now:
            device.status = "expired"
        if device.status in {"expired", "denied"}:
            return Poll(device.status)
        if is_too_fast:
            return Poll("too_fast")
        if device.session is None or device.person is None:
            return Poll("pending")
        approved = ApprovedDevice(
            device.issue_id, device.session, device.person, device.scopes, device.new.resources
        )
        return Poll("approved", approved)

    async def redeem(self, redemption: DeviceRedemption) -> bool:
        await self._wire.trip("redeem_device")
        device = self.waiting[redemption.device_code]
        if device.new.client.id != redemption.client.id:
            return False
        if device.status != "approved" or device.expires_at <= clock.now():
            return False
        if not self._tokens.record_device(redemption):
            return False
        device.status = "redeemed"
        return True
