"""Registering applications, changing them, and reading one for the engine."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.clients import store
from insula.clients.errors import ClientExists, InvalidClientMetadata, NoSuchClient
from insula.clients.models import (
    Metadata,
    Status,
    check_client_id,
    check_metadata,
    check_name,
    from_row,
)
from insula.kernel.ids import Kind, digest, new_secret
from insula.oidc.models import Client, ClientSecret
from insula.tenancy.db import Connection, Row, Tenant, raise_version
from insula.tenancy.models import PLATFORMS


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that was just made; *secret* is shown here and never again."""

    id: UUID
    client_id: str
    secret: str | None


async def find(tenant: Tenant, client_id: str) -> Client | None:
    """The active client of that id, with its live secrets, for the engine; one trip."""
    row = await store.find_active(tenant, client_id)
    return None if row is None else _client(row)


def _client(row: Row) -> Client:
    metadata = from_row(row.metadata)
    values = metadata.model_dump()
    return Client(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        secrets=tuple(
            ClientSecret(bytes.fromhex(hexed), None if expires is None else float(expires))
            for hexed, expires in row.secrets
        ),
        **{
            **values,
            "grant_types": frozenset(metadata.grant_types),
            "response_modes": frozenset(metadata.response_modes),
            "scopes": frozenset(metadata.scopes),
            "default_scopes": frozenset(metadata.default_scopes),
            "allowed_origins": frozenset(metadata.allowed_origins),
        },
    )


async def allowed_origins(tenant: Tenant) -> frozenset[str]:
    """Origins that any active client of the tenant registers, for preflights."""
    return frozenset(await store.origins(tenant))


def check_scopes(tenant_slug: str, metadata: Metadata) -> None:
    """
    Refuse scopes that cross tenants to every tenant but `_platforms` (security row 100).

    Raises `InvalidClientMetadata`.
    """
    if tenant_slug != PLATFORMS and any(
        scope.startswith(("insula:tenants:", "insula:cross-tenant:")) for scope in metadata.scopes
    ):
        raise InvalidClientMetadata("may not hold scopes that cross tenants", field="scopes")


async def check_algorithms(db: Connection, metadata: Metadata) -> None:
    """Refuse algorithms that the tenant has no key for. Raises `InvalidClientMetadata`."""
    active = await store.active_algorithms(db)
    for field in ("id_token_signed_response_alg", "access_token_alg"):
        alg = getattr(metadata, field)
        if alg not in active:
            raise InvalidClientMetadata(
                f"the tenant has no active {alg} key; make one with "
                f"`insula keys generate --alg {alg}` and promote it",
                field=field,
            )


def parse_metadata(values: Mapping[str, Any], *, development: bool) -> Metadata:
    """Read and check metadata from outside. Raises `InvalidClientMetadata` naming the member."""
    try:
        metadata = Metadata.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidClientMetadata(
            str(first["msg"]), field=".".join(map(str, first["loc"]))
        ) from error
    check_metadata(metadata, development=development)
    return metadata


async def register(
    tenant: Tenant,
    name: str,
    metadata: Metadata,
    *,
    client_id: str | None = None,
    actor: Actor = SYSTEM,
) -> Registered:
    """
    Register an application, its id chosen by us unless an operator names it (CLI and fixtures).

    Raises `ClientExists`, `InvalidClientMetadata`.
    """
    check_scopes(tenant.slug, metadata)
    async with tenant.transaction() as db:
        registered = await register_in(
            db, tenant.id, name, metadata, client_id=client_id, actor=actor
        )
        await raise_version(db, "clients")
    return registered


async def register_in(  # noqa: PLR0913  (all by name but the first four)
    db: Connection,
    tenant_id: UUID,
    name: str,
    metadata: Metadata,
    *,
    client_id: str | None = None,
    actor: Actor = SYSTEM,
) -> Registered:
    """`register` inside a transaction that is bound to the tenant already."""
    check_name(name)
    chosen = client_id or f"ins_cl_{secrets.token_urlsafe(16)}"
    check_client_id(chosen)
    await check_algorithms(db, metadata)
    row_id = await store.insert(db, chosen, name, metadata.model_dump(mode="json"))
    if row_id is None:
        raise ClientExists("A client of that id exists.")
    secret = None
    if not metadata.is_public:
        secret = new_secret(Kind.CLIENT_SECRET)
        await store.insert_secret(db, row_id, digest(Kind.CLIENT_SECRET, tenant_id, secret), None)
    await _audit(db, "client.created", chosen, actor, name=name)
    return Registered(row_id, chosen, secret)


async def change(  # noqa: PLR0913  (what may be changed, all by name)
    tenant: Tenant,
    client_id: str,
    changes: Mapping[str, Any],
    *,
    name: str | None = None,
    status: Status | None = None,
    development: bool,
    actor: Actor = SYSTEM,
) -> Metadata:
    """Change some settings of a client. Raises `NoSuchClient`, `InvalidClientMetadata`."""
    if name is not None:
        check_name(name)
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        before = from_row(row.metadata)
        after = parse_metadata({**before.model_dump(), **changes}, development=development)
        await check_algorithms(db, after)
        check_scopes(tenant.slug, after)
        await store.update(
            db, row.id, name or row.name, status or row.status, after.model_dump(mode="json")
        )
        event = "client.updated"
        if status is not None and status != row.status:
            event = "client.activated" if status == "active" else "client.deactivated"
        await _audit(db, event, client_id, actor, changed=sorted(changes))
        await raise_version(db, "clients")
    return after


async def _locked(db: Connection, client_id: str) -> Row:
    row = await store.lock(db, client_id)
    if row is None:
        raise NoSuchClient("No client of that id in this tenant.")
    return row


async def rotate_secret(
    tenant: Tenant, client_id: str, *, overlap: timedelta = timedelta(0), actor: Actor = SYSTEM
) -> str:
    """
    A new secret, shown here only; the old ones live on for *overlap*.

    Raises `NoSuchClient`, `InvalidClientMetadata` for a public client.
    """
    secret = new_secret(Kind.CLIENT_SECRET)
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        if from_row(row.metadata).is_public:
            raise InvalidClientMetadata("a public client has no secret", field="client_id")
        await store.end_secrets(db, row.id, overlap)
        await store.insert_secret(db, row.id, digest(Kind.CLIENT_SECRET, tenant.id, secret), None)
        await _audit(db, "client.secret_rotated", client_id, actor)
        await raise_version(db, "clients")
    return secret


async def delete(tenant: Tenant, client_id: str, actor: Actor = SYSTEM) -> None:
    """Delete a client; its codes and tokens end with it. Raises `NoSuchClient`."""
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        await store.delete(db, row.id)
        await _audit(db, "client.deleted", client_id, actor, name=row.name)
        await raise_version(db, "clients")


async def list_clients(tenant: Tenant, *, after: str = "", limit: int = 100) -> Sequence[Row]:
    """A page of clients by client_id."""
    async with tenant.transaction() as db:
        return await store.page(db, after, limit)


async def _audit(db: Connection, event: str, client_id: str, actor: Actor, **metadata: Any) -> None:  # noqa: ANN401
    await audit.record(
        db, Event(event, actor, target_type="client", target_id=client_id, metadata=metadata)
    )
