"""Who did something, as the platform may say it: its own people by name, all others without."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from insula.accounts import service as accounts
from insula.tenancy.db import Tenant

#: Type and id of an actor, as it is remembered beside what they did.
By = Mapping[str, Any]
Names = Mapping[str, str]

_OTHERS: Final = {
    "system": "the command line",
    "platform": "somebody of the platform",
    "admin": "an administrator of the tenant",
    "client": "an application",
    "user": "somebody of the tenant",
}


async def names(home: Tenant, acts: Iterable[By | None]) -> Names:
    """Who of *home*, which is `_platforms`, did these acts, by id."""
    wanted = set()
    for by in acts:
        if by and by.get("type") == "platform" and by.get("id"):
            try:
                wanted.add(UUID(str(by["id"])))
            except ValueError:
                continue
    if not wanted:
        return {}
    async with home.transaction() as db:
        return {str(key): name for key, name in (await accounts.names_of(db, wanted)).items()}


def who(by: By | None, known: Names) -> str:
    """The name of an actor, or what they were."""
    if not by:
        return "somebody"
    return known.get(str(by.get("id")), _OTHERS.get(str(by.get("type")), "somebody"))
