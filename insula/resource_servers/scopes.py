"""Scopes of a tenant: of one of its APIs, or standing for claims about a person."""

from collections.abc import Sequence

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.clients import uses
from insula.ownership import service as ownership
from insula.resource_servers import store
from insula.resource_servers.errors import InvalidResource, NameTaken, NoSuchScope
from insula.resource_servers.models import check_scope_claims, check_scope_name, check_scope_texts
from insula.resource_servers.servers import hold, identifier_of, refuse_users
from insula.tenancy.db import Connection, Row, Tenant, raise_version


async def add(  # noqa: PLR0913  (all by name but the first two)
    tenant: Tenant,
    name: str,
    *,
    resource_server: str | None = None,
    title: str = "",
    description: str = "",
    claims: Sequence[str] = (),
    actor: Actor = SYSTEM,
) -> None:
    """
    Make a scope: of the API *resource_server*, or of the tenant and standing for *claims* (UI-6).

    *title* and *description* are what the consent page says. Raises `InvalidResource`,
    `NameTaken`, `NoSuchResourceServer`, and `OwnedByGit` for an API that documents own.
    """
    check_scope_name(name)
    check_scope_texts(title, description)
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        if resource_server is not None:
            await ownership.refuse(db, actor, "apis", resource_server)
        server = None if resource_server is None else (await hold(db, resource_server)).id
        await _check_claims(db, claims, is_of_an_api=server is not None)
        values = {
            "server": server,
            "name": name,
            "title": title,
            "description": description,
            "claims": list(claims),
        }
        if not await store.insert_scope(db, values):
            raise NameTaken("A scope of that name exists.")
        await _note(db, "scope.created", name, actor, resource_server=resource_server)


async def change(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    name: str,
    *,
    title: str | None = None,
    description: str | None = None,
    claims: Sequence[str] | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """
    Change what a scope says or stands for.

    Raises `NoSuchScope`, `InvalidResource`, `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        row = await _free(db, name, actor)
        after = (
            row.title if title is None else title,
            row.description if description is None else description,
            row.claims if claims is None else claims,
        )
        check_scope_texts(after[0], after[1])
        if claims is not None:
            await _check_claims(db, claims, is_of_an_api=row.resource_server_id is not None)
        await store.update_scope(db, row.id, *after)
        given = {"title": title, "description": description, "claims": claims}
        changed = sorted(field for field, value in given.items() if value is not None)
        await _note(db, "scope.updated", name, actor, changed=changed)


async def remove(
    tenant: Tenant, name: str, *, force: bool = False, actor: Actor = SYSTEM
) -> list[str]:
    """
    Take a scope away; the client_ids that lost it.

    Clients that have it stand in the way unless *force*. Raises `NoSuchScope`, `InUse`,
    `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        row = await _free(db, name, actor)
        users = await uses.hold_users(db, scopes=[name])
        names = refuse_users(users, force=force)
        await uses.withdraw(db, users, scopes=[name], actor=actor)
        await store.delete_scope(db, row.id)
        await _note(db, "scope.deleted", name, actor, clients=names)
    return names


async def list_scopes(tenant: Tenant) -> Sequence[Row]:
    """Every scope of the tenant's own by name, with the identifier of its API."""
    async with tenant.transaction() as db:
        return await store.scopes(db)


async def _free(db: Connection, name: str, actor: Actor) -> Row:
    """The scope, held, if *actor* may change it; one of an API is owned with its API."""
    await ownership.begin(db, actor)
    row = await store.lock_scope(db, name)
    if row is None:
        raise NoSuchScope("No scope of that name in this tenant.")
    if row.resource_server_id is None:
        await ownership.refuse(db, actor, "scopes", name)
    else:
        await ownership.refuse(db, actor, "apis", await identifier_of(db, row.resource_server_id))
    return row


async def _check_claims(db: Connection, claims: Sequence[str], *, is_of_an_api: bool) -> None:
    if claims and is_of_an_api:
        raise InvalidResource("a scope of an API stands for no claims", field="claims")
    if claims:
        check_scope_claims(claims, [row.claim for row in await store.lock_mappings(db)])


async def _note(db: Connection, event: str, name: str, actor: Actor, **metadata: object) -> None:
    await audit.record(
        db, Event(event, actor, target_type="scope", target_id=name, metadata=metadata)
    )
    await raise_version(db, "resource_servers")
