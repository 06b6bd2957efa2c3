"""
Who did something, as the platform may say it.

Its own people by name, applications by their client_id, people of tenants by neither.
"""

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
    "client": "an application",
    "platform": "somebody of the platform",
    "admin": "an administrator of the tenant",
    "user": "somebody of the tenant",
}


async def names(home: Tenant, acts: Iterable[By | None]) -> Names:
    """Who of *home*, which is `_platforms`, did these acts, by id."""
    wanted = set()
    for by in acts:
        person = _person(by) if by and by.get("type") == "platform" else None
        if person is not None:
            wanted.add(person)
    if not wanted:
        return {}
    async with home.transaction() as db:
        return {str(key): name for key, name in (await accounts.names_of(db, wanted)).items()}


def who(by: By | None, known: Names) -> str:
    """The name of an actor, or what they were."""
    if not by:
        return "somebody"
    kind, its_id = str(by.get("type")), str(by.get("id") or "")
    if its_id in known:
        return known[its_id]
    if kind == "platform" and by.get("name"):  # of somebody who has gone since
        return str(by["name"])
    if its_id and kind in ("client", "platform") and _person(by) is None:
        return f"the application {its_id}"
    return _OTHERS.get(kind, "somebody")


def _person(by: By) -> UUID | None:
    """The id of a person; an application has its client_id there."""
    try:
        return UUID(str(by.get("id")))
    except ValueError:
        return None
