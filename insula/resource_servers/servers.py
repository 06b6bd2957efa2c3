"""The APIs of a tenant: adding, changing and taking them away."""

from collections.abc import Mapping, Sequence
from typing import Any

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.clients import uses
from insula.keys import service as keys
from insula.resource_servers import store
from insula.resource_servers.builtin import with_management_api
from insula.resource_servers.catalogue import Catalogue, read_catalogue
from insula.resource_servers.errors import (
    InUse,
    InvalidResource,
    NameTaken,
    NoSuchResourceServer,
)
from insula.resource_servers.models import (
    ServerSettings,
    check_identifier,
    check_server_name,
    parse_settings,
    settings_of,
)
from insula.tenancy.db import Connection, Row, Tenant, raise_version


async def load(tenant: Tenant) -> Catalogue:
    """Everything that a provider needs to know of these, in one trip. Raises `Unavailable`."""
    row = await store.load(tenant)
    return with_management_api(read_catalogue(row.servers, row.scopes, row.mappings), tenant)


async def add(
    tenant: Tenant,
    identifier: str,
    name: str,
    settings: ServerSettings | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """Make an API known by its *identifier*. Raises `InvalidResource`, `NameTaken`."""
    check_identifier(identifier, tenant.issuer)
    check_server_name(name)
    settings = settings or ServerSettings()
    async with tenant.transaction() as db:
        await _check_settings(db, settings)
        if not await store.insert_server(db, identifier, name, settings.model_dump(mode="json")):
            raise NameTaken("A resource server of that identifier exists.")
        await _note(db, "resource_server.created", identifier, actor, name=name)


async def change(
    tenant: Tenant,
    identifier: str,
    changes: Mapping[str, Any],
    *,
    name: str | None = None,
    actor: Actor = SYSTEM,
) -> ServerSettings:
    """Change some settings of an API. Raises `NoSuchResourceServer`, `InvalidResource`."""
    if name is not None:
        check_server_name(name)
    async with tenant.transaction() as db:
        row = await hold(db, identifier)
        before = settings_of(row.settings)
        after = parse_settings({**before.model_dump(), **changes})
        await _check_settings(db, after)
        await store.update_server(db, row.id, name or row.name, after.model_dump(mode="json"))
        changed = sorted({*changes, *(["name"] if name else [])})
        await _note(db, "resource_server.updated", identifier, actor, changed=changed)
    return after


async def delete(
    tenant: Tenant, identifier: str, *, force: bool = False, actor: Actor = SYSTEM
) -> list[str]:
    """
    Take an API away with its scopes; the client_ids that lost them.

    Clients that use it stand in the way unless *force*. Raises `NoSuchResourceServer`, `InUse`.
    """
    async with tenant.transaction() as db:
        row = await hold(db, identifier)
        scopes = [
            each.name for each in await store.scopes(db) if each.resource_server == identifier
        ]
        users = await uses.hold_users(db, scopes=scopes, resources=[identifier])
        names = refuse_users(users, force=force)
        await uses.withdraw(db, users, scopes=scopes, resources=[identifier], actor=actor)
        await store.delete_server(db, row.id)
        await _note(db, "resource_server.deleted", identifier, actor, name=row.name, clients=names)
    return names


async def list_servers(tenant: Tenant) -> Sequence[Row]:
    """Every API by identifier, with its settings as they hold and the names of its scopes."""
    async with tenant.transaction() as db:
        return await store.servers(db)


async def hold(db: Connection, identifier: str) -> Row:
    """Lock an API until the transaction ends. Raises `NoSuchResourceServer`."""
    row = await store.lock_server(db, identifier)
    if row is None:
        raise NoSuchResourceServer("No resource server of that identifier in this tenant.")
    return row


def refuse_users(users: Sequence[Row], *, force: bool) -> list[str]:
    """Raise `InUse` for clients in the way; their client_ids when they are not."""
    names = [row.client_id for row in users]
    if names and not force:
        raise InUse(f"In use by {', '.join(names[:10])}{' and others' if names[10:] else ''}.")
    return names


async def _check_settings(db: Connection, settings: ServerSettings) -> None:
    if settings.signing_alg not in await keys.active_algorithms(db):
        raise InvalidResource(
            f"the tenant has no active {settings.signing_alg} key; make one with "
            f"`insula keys generate --alg {settings.signing_alg}` and promote it",
            field="signing_alg",
        )
    if unknown := await uses.unknown_clients(db, settings.introspection_clients):
        raise InvalidResource(f"there is no client {unknown[0]}", field="introspection_clients")


async def _note(
    db: Connection,
    event: str,
    identifier: str,
    actor: Actor,
    **metadata: Any,  # noqa: ANN401  (values of any kind)
) -> None:
    await audit.record(
        db,
        Event(event, actor, target_type="resource_server", target_id=identifier, metadata=metadata),
    )
    await raise_version(db, "resource_servers")
