"""The `Requests` port: pushed requests, objects by reference, and values that count once."""

import json
from datetime import timedelta

from insula.kernel.ids import Kind, digest
from insula.oidc.artefacts import NewPushed, TakenPush
from insula.oidc.errors import Unreachable
from insula.oidc.models import Caller, Client
from insula.oidc.ports import Cookies
from insula.outbound.door import Door
from insula.outbound.errors import OutboundError
from insula.providers.store import requests
from insula.providers.tokens import once_mark
from insula.sign_in.cookies import Jar
from insula.sign_in.interactions.service import browser_hash
from insula.tenancy.db import Tenant

#: The longest request object by reference (JR-2).
_LONGEST_OBJECT = 64 * 1024
_OBJECT_TYPES = (
    "application/oauth-authz-req+jwt",
    "application/jwt",
    "text/plain",
    "application/octet-stream",
)


class TenantRequests:
    """Authorization requests of one tenant that do not come through the browser whole."""

    def __init__(self, tenant: Tenant, jar: Jar, door: Door) -> None:
        self._tenant = tenant
        self._jar = jar
        self._door = door

    async def push(self, pushed: NewPushed, caller: Caller) -> None:  # noqa: ARG002  (the authorization has a line)
        await self._tenant.once(
            requests.PUSH_REQUEST,
            {
                "pushed_hash": digest(Kind.PUSHED_REQUEST, self._tenant.id, pushed.reference),
                "client": pushed.client.id,
                "parameters": json.dumps(dict(pushed.parameters)),
                "lifetime": timedelta(seconds=pushed.lifetime),
            },
        )

    async def take(self, reference: str, client: Client, cookies: Cookies) -> TakenPush | None:
        browser, set_cookies = self._jar.read_browser(cookies), tuple[str, ...]()
        if browser is None:
            browser, header = self._jar.new_browser()
            set_cookies = (header,)
        rows = await self._tenant.once(
            requests.TAKE_PUSHED,
            {
                "pushed_hash": digest(Kind.PUSHED_REQUEST, self._tenant.id, reference),
                "client": client.id,
                "browser_hash": browser_hash(self._tenant, browser),
            },
        )
        if not rows:
            return None
        return TakenPush(rows[0].parameters, {self._jar.browser_name: browser}, set_cookies)

    async def fetch(self, uri: str) -> bytes:
        try:
            fetched = await self._door.fetch(
                uri,
                limit=_LONGEST_OBJECT,
                accept=_OBJECT_TYPES,
                purpose="request_uri",
                # Whoever knows the address makes us ask; so it takes no places of the tenant's
                # other errands, and cannot make their hosts look away.
                party=f"{self._tenant.id}/request_uri",
            )
        except OutboundError as error:
            raise Unreachable(str(error)) from error
        return fetched.body

    async def is_first(self, kind: str, subject: str, value: str, lifetime: int) -> bool:
        mark = once_mark(self._tenant.id, kind, subject, value)
        keep = timedelta(seconds=lifetime)
        return bool(
            await self._tenant.once(requests.SEE_ONCE, {"value_hash": mark, "once_keep": keep})
        )
