"""What a dangerous act asks for beside scope and role (features.md CR-6)."""

from typing import Final

from insula.clients import service as clients
from insula.kernel import clock
from insula.management_api.caller import Caller
from insula.oidc.errors import StepUpNeeded

#: Seconds since somebody signed in, after which a dangerous act asks for it again (CR-6).
_FRESH: Final = 15 * 60


async def check_step_up(caller: Caller) -> None:
    """
    Let a dangerous act go on (CR-6).

    A person must have signed in within 15 minutes; that a second factor was among it will be asked
    once there are any. A client that acts for itself must be marked `allow_dangerous_api`. Raises
    `StepUpNeeded`.
    """
    caller.proven.add("step_up")
    if caller.user is None:
        async with caller.tenant.transaction() as db:
            if await clients.may_be_dangerous(db, caller.client.id):
                return
        raise StepUpNeeded("This client is not marked for dangerous acts")
    if clock.now() - (caller.token.auth_time or 0) > _FRESH:
        raise StepUpNeeded("A more recent sign-in is needed", max_age=_FRESH)
