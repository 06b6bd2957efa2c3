"""Registering clients and letting them manage themselves: each act one transaction (RFC7592)."""

from datetime import timedelta
from uuid import UUID

from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import from_row
from insula.kernel.ids import Kind, digest, new_secret
from insula.registration import store
from insula.registration.errors import Adopted, NotAdmitted, TooManyAttempts, TooManyClients
from insula.registration.models import Credentials, Held, Policy, Wanted, read_policy
from insula.registration.settings import RegistrationLimits
from insula.tenancy.db import Connection, Row, Tenant, raise_version


def _initial(tenant: Tenant, token: str) -> bytes:
    return digest(Kind.INITIAL_ACCESS_TOKEN, tenant.id, token)


def _registration(tenant: Tenant, token: str) -> bytes:
    return digest(Kind.REGISTRATION_TOKEN, tenant.id, token)


async def count_attempt(tenant: Tenant, address: str, limits: RegistrationLimits) -> None:
    """Count an attempt before it is looked at. Raises `TooManyAttempts`."""
    subject = digest(Kind.ATTEMPT, tenant.id, f"registration\0{address}")
    span = timedelta(seconds=limits.window_seconds)
    n, left = await store.count_attempt(tenant, subject, span)
    if n > limits.attempts_per_address:
        raise TooManyAttempts(int(left) + 1)


async def policy_of(tenant: Tenant, token: str) -> Policy:
    """What an initial access token allows; uses nothing of it. Raises `NotAdmitted`."""
    stored = await store.policy(tenant, _initial(tenant, token))
    if stored is None:
        raise NotAdmitted("no such initial access token")
    try:
        return read_policy(stored)
    except ValidationError as error:
        raise NotAdmitted("a policy of another release", detail=str(error)) from error


async def register(
    tenant: Tenant, wanted: Wanted, *, token: str | None, most: int, actor: Actor
) -> Credentials:
    """
    Make a client that was judged by the policy of *token*, and take one of the token's uses.

    All of it happens, or nothing. Raises `NotAdmitted`, and `TooManyClients` when the tenant has
    *most* of them.
    """
    registration = new_secret(Kind.REGISTRATION_TOKEN)
    async with tenant.transaction() as db:
        admitted_by: Row | None = None
        if token is not None:
            admitted_by = await store.use(db, _initial(tenant, token))
            if admitted_by is None:
                raise NotAdmitted("no such initial access token")
        await raise_version(db, "clients")  # whoever registers here waits, so the count holds
        if await store.count_dynamic(db) >= most:
            raise TooManyClients("The tenant takes no more clients.")
        issued_at = await store.insert(db, wanted, _registration(tenant, registration), admitted_by)
        await store.write_logo(db, wanted)
        secret = await _secret(db, tenant, wanted.id) if wanted.metadata.has_secret else None
        await audit.record(
            db,
            Event(
                "client.registered",
                actor,
                target_type="client",
                target_id=wanted.client_id,
                metadata={
                    "name": wanted.name,
                    "admitted_by": str(admitted_by.id) if admitted_by else None,
                    "redirect_uris": wanted.metadata.redirect_uris,
                },
            ),
        )
    return Credentials(registration, secret, issued_at)


async def _secret(db: Connection, tenant: Tenant, client: UUID) -> str:
    secret = new_secret(Kind.CLIENT_SECRET)
    await store.insert_secret(db, client, digest(Kind.CLIENT_SECRET, tenant.id, secret))
    return secret


def _held(row: Row) -> Held:
    """Read a client; whose policy only another release understands may change nothing here."""
    try:
        policy, is_known = read_policy(row.registration_policy), True
    except ValidationError:
        policy, is_known = Policy(), False
    return Held(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        metadata=from_row(row.metadata),
        policy=policy,
        is_adopted=row.is_adopted or not is_known,
        issued_at=row.issued_at,
    )


async def find(tenant: Tenant, client_id: str, token: str) -> Held | None:
    """The active client that *token* manages, or None whatever is wrong. One trip."""
    row = await store.find(tenant, client_id, _registration(tenant, token))
    return None if row is None else _held(row)


async def replace(
    tenant: Tenant, wanted: Wanted, *, token: str, secret: str | None, actor: Actor
) -> Credentials | None:
    """
    Write all of a client that was judged, and give it another token; None if *token* manages none.

    *secret* is one that the client believes to be its own. Raises `Adopted`,
    `InvalidClientMetadata`.
    """
    successor = new_secret(Kind.REGISTRATION_TOKEN)
    async with tenant.transaction() as db:
        row = await store.hold(db, wanted.client_id, _registration(tenant, token))
        if row is None:
            return None
        before = _held(row)
        if before.is_adopted:
            raise Adopted("an administrator manages this client")
        if secret is not None and not await store.has_secret(
            db, row.id, digest(Kind.CLIENT_SECRET, tenant.id, secret)
        ):
            raise InvalidClientMetadata("is not the secret of this client", field="client_secret")
        await store.replace(db, wanted, _registration(tenant, successor))
        await store.write_logo(db, wanted)
        new = None
        if wanted.metadata.has_secret != before.metadata.has_secret:
            await store.end_secrets(db, row.id)
            new = await _secret(db, tenant, row.id) if wanted.metadata.has_secret else None
        await _note(db, "client.updated", wanted.client_id, wanted.name, actor)
        await raise_version(db, "clients")
    return Credentials(successor, new, before.issued_at)


async def logo(tenant: Tenant, digest: bytes) -> bytes | None:
    """Find the PNG of that SHA-256 among the logos of the tenant's clients."""
    return await store.logo(tenant, digest)


async def delete(tenant: Tenant, client_id: str, *, token: str, actor: Actor) -> bool:
    """
    Delete a client: its codes, tokens and grants are not alive without it.

    False if *token* manages none. Raises `Adopted`.
    """
    async with tenant.transaction() as db:
        row = await store.hold(db, client_id, _registration(tenant, token))
        if row is None:
            return False
        if row.is_adopted:
            raise Adopted("an administrator manages this client")
        await store.delete(db, row.id)
        await _note(db, "client.deleted", client_id, row.name, actor)
        await raise_version(db, "clients")
    return True


async def _note(db: Connection, event: str, client_id: str, name: str, actor: Actor) -> None:
    await audit.record(
        db,
        Event(event, actor, target_type="client", target_id=client_id, metadata={"name": name}),
    )
