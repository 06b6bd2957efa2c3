"""The APIs of a tenant: adding, changing and taking them away."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.clients import uses
from insula.keys import service as keys
from insula.ownership import service as ownership
from insula.resource_servers import store
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
    check_scope_name,
    check_server_name,
    parse_settings,
    settings_of,
)
from insula.tenancy.db import Connection, Row, Tenant, raise_version


async def load(tenant: Tenant) -> Catalogue:
    """Everything that a tenant has chosen of these, in one trip. Raises `Unavailable`."""
    row = await store.load(tenant)
    return read_catalogue(row.servers, row.scopes, row.mappings)


async def add(  # noqa: PLR0913  (what an API is made of)
    tenant: Tenant,
    identifier: str,
    name: str,
    settings: ServerSettings | None = None,
    actor: Actor = SYSTEM,
    *,
    scopes: Sequence[str] = (),
) -> None:
    """
    Make an API known by its *identifier*, with *scopes* of its own.

    Raises `InvalidResource`, `NameTaken`.
    """
    check_identifier(identifier, tenant.issuer)
    check_server_name(name)
    settings = settings or ServerSettings()
    async with tenant.transaction() as db:
        await _check_settings(db, settings)
        if not await store.insert_server(db, identifier, name, settings.model_dump(mode="json")):
            raise NameTaken("A resource server of that identifier exists.")
        await _add_scopes(db, (await hold(db, identifier)).id, scopes)
        await _note(db, "resource_server.created", identifier, actor, name=name)


async def change(  # noqa: PLR0913  (what may be changed, all by name)
    tenant: Tenant,
    identifier: str,
    changes: Mapping[str, Any],
    *,
    name: str | None = None,
    scopes: Sequence[str] | None = None,
    actor: Actor = SYSTEM,
) -> ServerSettings:
    """
    Change some settings of an API, and which *scopes* it has.

    Raises `NoSuchResourceServer`, `InvalidResource`, `NameTaken`, `OwnedByGit`, and `InUse` for a
    scope that clients have.
    """
    if name is not None:
        check_server_name(name)
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "apis", identifier)
        row = await hold(db, identifier)
        before = settings_of(row.settings)
        after = parse_settings({**before.model_dump(), **changes})
        await _check_settings(db, after)
        await store.update_server(db, row.id, name or row.name, after.model_dump(mode="json"))
        if scopes is not None:
            await _set_scopes(db, row.id, identifier, scopes, actor)
        also = [word for word, given in (("name", name), ("scopes", scopes)) if given is not None]
        changed = sorted({*changes, *also})
        await _note(db, "resource_server.updated", identifier, actor, changed=changed)
    return after


async def delete(
    tenant: Tenant, identifier: str, *, force: bool = False, actor: Actor = SYSTEM
) -> list[str]:
    """
    Take an API away with its scopes; the client_ids that lost them.

    Clients that use it stand in the way unless *force*. Raises `NoSuchResourceServer`, `InUse`,
    `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "apis", identifier)
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


async def _set_scopes(
    db: Connection, server: UUID, identifier: str, wanted: Sequence[str], actor: Actor
) -> None:
    every = await store.scopes(db)
    own = {each.name: each.id for each in every if each.resource_server == identifier}
    gone = sorted(own.keys() - set(wanted))
    if gone:
        refuse_users(await uses.hold_users(db, scopes=gone), force=False)
    for name in gone:
        await store.delete_scope(db, own[name])
        line = Event("scope.deleted", actor, target_type="scope", target_id=name)
        await audit.record(db, line)
    await _add_scopes(db, server, [name for name in wanted if name not in own])


async def _add_scopes(db: Connection, server: UUID, names: Sequence[str]) -> None:
    for name in dict.fromkeys(names):
        check_scope_name(name)
        values = {"server": server, "name": name, "title": "", "description": "", "claims": []}
        if not await store.insert_scope(db, values):
            raise NameTaken("A scope of that name exists.")


async def identifier_of(db: Connection, server: UUID) -> str:
    """By which name a resource server is known. Raises `NoSuchResourceServer`."""
    identifier = await store.identifier_of(db, server)
    if identifier is None:
        raise NoSuchResourceServer("No resource server of that id in this tenant.")
    return identifier


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
