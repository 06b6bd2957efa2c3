"""The `Devices` port: devices that wait for a person, and what they get."""

from datetime import timedelta
from uuid import uuid4

from insula.devices.codes import UserCodes
from insula.kernel.ids import Kind, digest
from insula.oidc.artefacts import ApprovedDevice, DeviceRedemption, NewDevice, Poll
from insula.oidc.models import Caller, Client
from insula.providers.store import devices
from insula.providers.tokens import TenantTokens, line
from insula.tenancy.db import Tenant

#: An ended device is told that it has expired for this long; then it is unknown.
_REMEMBERED = timedelta(hours=1)


class TenantDevices:
    """Devices of one tenant; what they get is recorded as *tokens* records it."""

    def __init__(self, tenant: Tenant, codes: UserCodes, tokens: TenantTokens) -> None:
        self._tenant = tenant
        self._codes = codes
        self._tokens = tokens

    def _hash(self, device_code: str) -> bytes:
        return digest(Kind.DEVICE_CODE, self._tenant.id, device_code)

    async def begin(self, device: NewDevice, caller: Caller) -> bool:
        lifetime = timedelta(seconds=device.lifetime)
        return bool(
            await self._tenant.once(
                devices.BEGIN_DEVICE,
                {
                    "id": uuid4(),
                    "device_hash": self._hash(device.device_code),
                    "user_code_hash": self._codes.digest(self._tenant.id, device.user_code),
                    "client": device.client.id,
                    "scopes": sorted(device.scopes),
                    "resources": list(device.resources),
                    "interval_s": device.interval,
                    "lifetime": lifetime,
                    "keep": lifetime + _REMEMBERED,
                    "ip": caller.ip or None,
                    "user_agent": caller.user_agent[:256] or None,
                },
            )
        )

    async def poll(self, device_code: str, client: Client) -> Poll | None:
        rows = await self._tenant.once(
            devices.POLL_DEVICE, {"device_hash": self._hash(device_code), "client": client.id}
        )
        if not rows:
            return None
        row = rows[0]
        if row.status in {"redeemed", "expired", "denied"}:
            return Poll(row.status)
        if row.too_fast:
            return Poll("too_fast")
        if row.status != "approved":
            return Poll("pending")
        catalogue = self._tokens.catalogue
        resources = catalogue.meant_resources(row.resources, row.given_at)
        if row.resources and not resources:
            return Poll("expired")
        approved = ApprovedDevice(
            issue_id=row.id,
            session=self._tokens.session(row),
            person=self._tokens.person(row),
            scopes=catalogue.meant_scopes(row.scopes, row.given_at),
            resources=resources,
        )
        return Poll("approved", approved)

    async def redeem(self, redemption: DeviceRedemption) -> bool:
        approved, refresh = redemption.approved, redemption.refresh
        return bool(
            await self._tenant.once(
                devices.REDEEM_DEVICE,
                {
                    "device_hash": self._hash(redemption.device_code),
                    "client": redemption.client.id,
                    "user_id": approved.person.user_id,
                    "scopes": sorted(approved.scopes),
                    "resources": list(approved.resources),
                    **self._tokens.issued(redemption.access, refresh),
                    **line(
                        redemption.caller,
                        "user",
                        str(approved.person.user_id),
                        client=redemption.client.client_id,
                        grant="device_code",
                    ),
                },
            )
        )
