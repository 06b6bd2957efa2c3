"""Registering applications, changing them, and reading one for the engine."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.clients import store
from insula.clients.errors import (
    ClientExists,
    InvalidClientMetadata,
    NoSharedSecret,
    NoSuchClient,
)
from insula.clients.key_sets import read_key_set
from insula.clients.models import (
    MODES,
    Metadata,
    Status,
    changed,
    check_client_id,
    check_name,
    from_row,
)
from insula.clients.profiles import stops
from insula.clients.rules import check_metadata
from insula.clients.tenant_rules import (
    check_algorithms,
    check_profile,
    check_resources,
    check_scopes,
)
from insula.kernel.errors import Conflict
from insula.kernel.ids import Kind, digest, new_secret
from insula.oidc.models import Client, ClientSecret, ExchangePolicy
from insula.ownership import service as ownership
from insula.tenancy.db import Connection, PlatformSettings, Row, Tenant, raise_version

#: Metadata that the engine knows as sets.
_SETS = (
    "grant_types",
    "response_types",
    "response_modes",
    "scopes",
    "default_scopes",
    "request_uris",
    "resources",
    "allowed_origins",
)
#: Metadata that the engine knows nothing of.
_NOT_OF_THE_ENGINE = {"sector_identifier_uri", "allow_dangerous_api", "important"}


@dataclass(frozen=True, slots=True)
class Registered:
    """A client that was just made; *secret* is shown here and never again."""

    id: UUID
    client_id: str
    secret: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """A client after a change; *secret* is one that it needs from now on, shown here only."""

    metadata: Metadata
    secret: str | None = None


async def find(tenant: Tenant, client_id: str) -> Client | None:
    """The active client of that id, with its live secrets, for the engine; one trip."""
    row = await store.find_active(tenant, client_id)
    return None if row is None else _client(row)


def _client(row: Row) -> Client:
    metadata = from_row(row.metadata)
    values = metadata.model_dump(exclude=_NOT_OF_THE_ENGINE)
    values |= {name: frozenset(values[name]) for name in _SETS}
    values |= {
        "jwks": tuple(metadata.jwks["keys"]) if metadata.jwks else (),
        "sector": metadata.sector,
        "exchange_policies": tuple(
            ExchangePolicy(each.to_audience, each.from_audience, frozenset(each.scopes), each.mode)
            for each in metadata.exchange_policies
        ),
    }
    return Client(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        secrets=tuple(
            ClientSecret(bytes.fromhex(hexed), None if expires is None else float(expires))
            for hexed, expires in row.secrets
        ),
        is_dynamic=row.is_dynamic,
        is_paused=row.is_paused,
        is_verified=row.is_verified,
        logo=row.logo or "",
        **values,
    )


async def may_be_dangerous(db: Connection, client: UUID) -> bool:
    """Whether a client may do dangerous acts over the management API for itself (CR-6)."""
    return await store.is_marked(db, client, "allow_dangerous_api")


async def allowed_origins(tenant: Tenant) -> frozenset[str]:
    """Origins that any active client of the tenant registers, for preflights."""
    return frozenset(await store.origins(tenant))


def parse_metadata(values: Mapping[str, Any], *, development: bool) -> Metadata:
    """Read and check metadata from outside. Raises `InvalidClientMetadata` naming the member."""
    try:
        metadata = Metadata.model_validate(values)
        if metadata.jwks is not None:
            metadata = metadata.model_copy(update={"jwks": read_key_set(metadata.jwks)})
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
            db, tenant.id, name, metadata, client_id=client_id, actor=actor,
            supposed=tenant.supposed,
        )  # fmt: skip
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
    supposed: PlatformSettings | None = None,
) -> Registered:
    """`register` inside a transaction that is bound to the tenant already."""
    check_name(name)
    chosen = client_id or f"ins_cl_{secrets.token_urlsafe(16)}"
    check_client_id(chosen)
    await check_algorithms(db, metadata)
    await check_profile(db, metadata, supposed=supposed)
    await check_resources(db, metadata)
    row_id = await store.insert(db, chosen, name, metadata.model_dump(mode="json"))
    if row_id is None:
        raise ClientExists("A client of that id exists.")
    secret = await _new_secret(db, tenant_id, row_id) if metadata.has_secret else None
    await _audit(db, "client.created", chosen, actor, name=name)
    return Registered(row_id, chosen, secret)


async def change(  # noqa: PLR0913  (what may be changed, all by name)
    tenant: Tenant,
    client_id: str,
    changes: Mapping[str, Any],
    *,
    name: str | None = None,
    status: Status | None = None,
    expected: datetime | None = None,
    development: bool,
    actor: Actor = SYSTEM,
) -> Changed:
    """
    Change some settings of a client.

    Whoever proves itself by a secret from now on gets one, and who no longer does loses its own.
    A change of profile ends the codes and pushed requests in flight (protocol.md section 3). One
    that registered itself is an administrator's once a setting or its name was changed (DR-13).
    Raises `NoSuchClient`, `InvalidClientMetadata`, `OwnedByGit`, and `Conflict` when it was saved
    since *expected*.
    """
    if name is not None:
        check_name(name)
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "clients", client_id)
        # what is named anew is held before the client is: whoever takes it away goes that way too
        seen = from_row((await _locked(db, client_id, hold=False)).metadata)
        wanted = parse_metadata(changed(seen, changes), development=development)
        await check_resources(db, wanted, seen)
        row = await _locked(db, client_id)
        if expected is not None and row.updated_at != expected:
            raise Conflict("It was changed meanwhile.", code="version_conflict")
        before = from_row(row.metadata)
        after = parse_metadata(changed(before, changes), development=development)
        await check_algorithms(db, after)
        await check_profile(db, after, before, supposed=tenant.supposed)
        check_scopes(tenant.slug, after)
        await store.update(
            db, row.id, name or row.name, status or row.status, after.model_dump(mode="json")
        )
        if changes or name is not None:
            await store.adopt(db, row.id)
        secret = None
        if after.has_secret != before.has_secret:
            await store.end_secrets(db, row.id, timedelta(0))
            secret = await _new_secret(db, tenant.id, row.id) if after.has_secret else None
        if after.profile != before.profile:
            await store.end_requests(db, row.id)
        event, more = "client.updated", {}
        if status is not None and status != row.status:
            event = "client.activated" if status == "active" else "client.deactivated"
            more = {"mode": mode} if (mode := MODES.get(status)) else {}
        await _audit(db, event, client_id, actor, changed=sorted(changes), **more)
        await raise_version(db, "clients")
    return Changed(after, secret)


async def preview_change(
    tenant: Tenant, client_id: str, changes: Mapping[str, Any], *, development: bool
) -> list[str]:
    """
    What would stop working with these changes, a sentence each; nothing is changed.

    Raises what `change` would.
    """
    async with tenant.transaction() as db:
        before = from_row((await _locked(db, client_id, hold=False)).metadata)
        after = parse_metadata(changed(before, changes), development=development)
        await check_resources(db, after, before)
        await check_algorithms(db, after)
        await check_profile(db, after, before)
        check_scopes(tenant.slug, after)
    return stops(before, after)


async def verify(tenant: Tenant, client_id: str, actor: Actor = SYSTEM) -> None:
    """
    Say that an administrator has looked at a client that registered itself (DR-17).

    Raises `NoSuchClient`.
    """
    await _mark(tenant, client_id, actor, verified=True)


async def unverify(tenant: Tenant, client_id: str, actor: Actor = SYSTEM) -> None:
    """Take that back. Raises `NoSuchClient`, `InvalidClientMetadata` if it was made by one."""
    await _mark(tenant, client_id, actor, verified=False)


async def adopt(tenant: Tenant, client_id: str, actor: Actor = SYSTEM) -> None:
    """
    Take a client that registered itself over: it can no longer change or delete itself (DR-13).

    Changing a setting of it does so too. Raises `NoSuchClient`, `InvalidClientMetadata` if it was
    made by an administrator.
    """
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        if row.origin != "dynamic":
            raise InvalidClientMetadata("an administrator made this client", field="client_id")
        await store.adopt(db, row.id)
        await _audit(db, "client.adopted", client_id, actor)
        await raise_version(db, "clients")


async def _mark(tenant: Tenant, client_id: str, actor: Actor, *, verified: bool) -> None:
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        if row.origin != "dynamic":
            if verified:
                return
            raise InvalidClientMetadata("an administrator made this client", field="client_id")
        if verified == (row.verified_at is not None):
            return
        await store.verify(db, row.id, verified=verified)
        await _audit(db, "client.verified" if verified else "client.unverified", client_id, actor)
        await raise_version(db, "clients")


async def _new_secret(db: Connection, tenant_id: UUID, client: UUID) -> str:
    secret = new_secret(Kind.CLIENT_SECRET)
    await store.insert_secret(db, client, digest(Kind.CLIENT_SECRET, tenant_id, secret), None)
    return secret


async def _locked(db: Connection, client_id: str, *, hold: bool = True) -> Row:
    row = await store.find(db, client_id, hold=hold)
    if row is None:
        raise NoSuchClient("No client of that id in this tenant.")
    return row


async def rotate_secret(
    tenant: Tenant, client_id: str, *, overlap: timedelta = timedelta(0), actor: Actor = SYSTEM
) -> str:
    """
    A new secret, shown here only; the one before lives on for *overlap*, older ones end.

    Raises `NoSuchClient`, `NoSharedSecret` for a client that has none.
    """
    async with tenant.transaction() as db:
        row = await _locked(db, client_id)
        if not from_row(row.metadata).has_secret:
            raise NoSharedSecret("A client of this kind has no secret.")
        await store.end_secrets(db, row.id, overlap)
        await store.keep_newest_secret(db, row.id)
        secret = await _new_secret(db, tenant.id, row.id)
        await _audit(db, "client.secret_rotated", client_id, actor)
        await raise_version(db, "clients")
    return secret


async def delete(tenant: Tenant, client_id: str, actor: Actor = SYSTEM) -> None:
    """Delete a client; its codes and tokens end with it. Raises `NoSuchClient`, `OwnedByGit`."""
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "clients", client_id)
        row = await _locked(db, client_id)
        await store.delete(db, row.id)
        await _audit(db, "client.deleted", client_id, actor, name=row.name)
        await raise_version(db, "clients")


async def count(db: Connection, *, most: int) -> int:
    """How many there are in the bound tenant; counting stops at *most*."""
    return await store.count(db, most)


async def list_clients(tenant: Tenant, *, after: str = "", limit: int = 100) -> Sequence[Row]:
    """A page of clients by client_id."""
    async with tenant.transaction() as db:
        return await store.page(db, after, limit)


async def _audit(db: Connection, event: str, client_id: str, actor: Actor, **metadata: Any) -> None:  # noqa: ANN401  (values of any kind)
    await audit.record(
        db, Event(event, actor, target_type="client", target_id=client_id, metadata=metadata)
    )
