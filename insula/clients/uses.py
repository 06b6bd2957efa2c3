"""Which clients use a scope or a resource server, and taking it from them when it goes."""

from collections.abc import Iterable, Sequence

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.clients import store
from insula.clients.models import Metadata, from_row
from insula.ownership import service as ownership
from insula.tenancy.db import Connection, Row, raise_version


async def unknown_clients(db: Connection, client_ids: Iterable[str]) -> list[str]:
    """Those of *client_ids* that the bound tenant does not have."""
    wanted = sorted(set(client_ids))
    return sorted(set(wanted) - await store.known(db, wanted)) if wanted else []


async def hold_users(
    db: Connection, *, scopes: Sequence[str] = (), resources: Sequence[str] = ()
) -> Sequence[Row]:
    """Clients that use one of these; no one changes them before the transaction ends."""
    return await store.lock_using(db, scopes, resources)


async def withdraw(
    db: Connection,
    users: Sequence[Row],
    *,
    scopes: Sequence[str] = (),
    resources: Sequence[str] = (),
    actor: Actor,
) -> None:
    """
    Take these from the clients that `hold_users` found: a name used again is no old right.

    Raises `OwnedByGit`.
    """
    await ownership.refuse(db, actor, "clients", *(row.client_id for row in users))
    for row in users:
        after = _without(from_row(row.metadata), frozenset(scopes), frozenset(resources))
        await store.update(db, row.id, row.name, row.status, after.model_dump(mode="json"))
        details = {"withdrawn": [*scopes, *resources]}
        await audit.record(
            db,
            Event(
                "client.updated",
                actor,
                target_type="client",
                target_id=row.client_id,
                metadata=details,
            ),
        )
    if users:
        await raise_version(db, "clients")


def _without(metadata: Metadata, scopes: frozenset[str], resources: frozenset[str]) -> Metadata:
    def kept(names: Iterable[str], gone: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in gone)

    return metadata.model_copy(
        update={
            "scopes": kept(metadata.scopes, scopes),
            "default_scopes": kept(metadata.default_scopes, scopes),
            "resources": kept(metadata.resources, resources),
            "default_resource": "".join(kept([metadata.default_resource], resources)),
            "exchange_policies": tuple(
                each
                for each in metadata.exchange_policies
                if resources.isdisjoint({each.to_audience, each.from_audience})
            ),
        }
    )
