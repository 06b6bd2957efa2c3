"""
Making a tenant as a document says.

What others lean on is made first and taken away last, so that one document may move a scope's
clients and remove the scope. A dry run does all of it and takes it back: what it says is what would
happen.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.clients import service as clients
from insula.clients.administration import service as administration
from insula.clients.errors import NoSuchClient
from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import etag
from insula.config_overrides.saving import Claim
from insula.configuration import owned, power
from insula.configuration.errors import DocumentChanged, at
from insula.configuration.models import (
    ApiEntry,
    ClientEntry,
    Difference,
    Document,
    ScopeEntry,
    differences,
)
from insula.configuration.reading import read
from insula.kernel.crypto import Envelope
from insula.kernel.settings import Section
from insula.resource_servers import claims, scopes, servers
from insula.resource_servers.models import ServerSettings, parse_settings
from insula.tenancy.db import Tenant

#: By what a document becomes another one.
_CHANGES: Final = (
    "config.updated", "config.imported", "config.section_reset", "config.rolled_back",
    "claim.mapped", "claim.unmapped", "scope.created", "scope.updated", "scope.deleted",
    "resource_server.created", "resource_server.updated", "resource_server.deleted",
    "client.created", "client.updated", "client.deleted", "client.activated", "client.deactivated",
    "client.adopted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Applied:
    """
    What changed, or would; the document then; the secrets of clients that were given one.

    *etag* names the document as it is then, before it is masked; *stopped* are clients that are
    inactive by it and were not before.
    """

    differences: tuple[Difference, ...]
    document: Document
    secrets: Mapping[str, str] = field(default_factory=dict)
    stopped: tuple[str, ...] = ()

    @property
    def etag(self) -> str:
        return etag(self.document.plain())


@dataclass(frozen=True, slots=True)
class Applying:
    """
    How to apply: who, why, and against what.

    *expected* is the ETag of the document that the caller had read, None not to compare;
    *development* lets addresses of clients be on this machine; *envelope* seals secrets among the
    settings. With *own* the settings that the document sets and the objects that it names become
    the actor's, and hands are refused; without it they go on being so, if they are. *source* says
    where the document is from. *held* are the scopes of the management API that the actor has and
    may give to clients, None for an operator, who may give any and mark clients for dangerous acts.
    """

    actor: Actor
    reason: str = ""
    expected: str | None = None
    dry_run: bool = False
    development: bool = False
    envelope: Envelope | None = None
    own: bool = False
    source: str = ""
    held: frozenset[str] | None = None


class _TakeBackError(Exception):
    """Ends a dry run."""

    def __init__(self, applied: Applied) -> None:
        super().__init__()
        self.applied = applied


async def apply(
    tenant: Tenant, sections: Iterable[type[Section]], document: Document, how: Applying
) -> Applied:
    """
    Make the tenant as *document* says, in the parts that it has; all of it or nothing.

    What a client that it stops was given is ended then, in transactions of their own.
    Raises `DocumentChanged`, and whatever the domains refuse.
    """
    try:
        async with tenant.transaction() as db:
            await config_overrides.hold(db)
            done = _finish(await _apply(tenant.joining(db), tuple(sections), document, how), how)
    except _TakeBackError as dry:
        return dry.applied
    for client_id in done.stopped:
        with suppress(NoSuchClient):  # taken away meanwhile, with all that it was given
            stopped = await administration.named(tenant, client_id)
            await administration.end_access(tenant, stopped.id, how.actor)
    return done


async def _apply(
    tenant: Tenant, sections: tuple[type[Section], ...], document: Document, how: Applying
) -> Applied:
    before, ours = await read(tenant), await owned.read(tenant)
    if how.expected is not None and how.expected != etag(before.plain()):
        async with tenant.transaction() as db:
            raise DocumentChanged(await audit.last_of(db, _CHANGES))
    claim = Claim(how.source) if how.own or ours.is_of(how.actor) else None
    actor = replace(how.actor, by_documents=claim is not None)
    secrets = await _Act(tenant, before, document, how, actor, claim).run(sections)
    after = await read(tenant)
    changed = owned.claimed(ours, await owned.read(tenant))
    found = (*differences(before, after), *changed)
    return Applied(found, after, secrets, _stopped(before, after))


def _finish(applied: Applied, how: Applying) -> Applied:
    """Leave the transaction by its end, or, after a dry run, by taking it back."""
    if how.dry_run:
        raise _TakeBackError(replace(applied, secrets={}))
    return applied


@dataclass(slots=True)
class _Act:
    """One application, inside its transaction."""

    tenant: Tenant
    before: Document
    wanted: Document
    how: Applying
    actor: Actor
    claim: Claim | None

    async def run(self, sections: tuple[type[Section], ...]) -> dict[str, str]:
        """Do everything in its order; the secrets that were made."""
        if self.wanted.settings is not None:
            async with self.tenant.transaction() as db:
                saving = config_overrides.Saving(
                    self.actor, self.how.reason, envelope=self.how.envelope,
                    claim=self.claim,
                )  # fmt: skip
                await config_overrides.replace_all(
                    db, sections, self.wanted.settings, saving, supposed=self.tenant.supposed
                )
        await self._map_claims()
        await self._put_apis()
        await self._put_scopes(self.before.scopes or {}, self.wanted.scopes or {}, None)
        secrets = await self._put_clients()
        await self._take_away()
        if self.claim is not None:
            await owned.claim(self.tenant, self.wanted, self.actor, self.claim)
        return secrets

    async def _map_claims(self) -> None:
        present = self.before.claims or {}
        for claim, attribute in (self.wanted.claims or {}).items():
            if present.get(claim) != attribute:
                with at("claims", claim):
                    await claims.map_claim(self.tenant, claim, attribute, self.actor)

    async def _put_apis(self) -> None:
        present = self.before.apis or {}
        for identifier, entry in (self.wanted.apis or {}).items():
            with at("apis", identifier):
                await self._put_api(identifier, present.get(identifier), entry)

    async def _put_api(self, identifier: str, former: ApiEntry | None, entry: ApiEntry) -> None:
        settings = parse_settings(entry.settings)
        if former is None:
            await servers.add(self.tenant, identifier, entry.name, settings, self.actor)
        elif (former.name, _settings(former)) != (entry.name, settings):
            await servers.change(
                self.tenant, identifier, settings.model_dump(), name=entry.name, actor=self.actor
            )
        await self._put_scopes(former.scopes if former else {}, entry.scopes, identifier)

    async def _put_scopes(
        self,
        present: Mapping[str, ScopeEntry],
        wanted: Mapping[str, ScopeEntry],
        api: str | None,
    ) -> None:
        for name, entry in wanted.items():
            former = present.get(name)
            if former == entry:
                continue
            texts: dict[str, Any] = {
                "title": entry.title, "description": entry.description, "claims": entry.claims,
            }  # fmt: skip
            with at("scopes", name):
                if former is None:
                    await scopes.add(
                        self.tenant, name, resource_server=api, **texts, actor=self.actor
                    )
                else:
                    await scopes.change(self.tenant, name, **texts, actor=self.actor)

    async def _put_clients(self) -> dict[str, str]:
        secrets: dict[str, str] = {}
        present = self.before.clients or {}
        for client_id, entry in (self.wanted.clients or {}).items():
            former = present.get(client_id)
            if former == entry:
                continue
            with at("clients", client_id):
                secret = await self._put_client(client_id, former, entry)
            if secret is not None:
                secrets[client_id] = secret
        return secrets

    async def _put_client(
        self, client_id: str, former: ClientEntry | None, entry: ClientEntry
    ) -> str | None:
        metadata = clients.parse_metadata(entry.metadata, development=self.how.development)
        power.check(self.how.held, former, metadata)
        secret = None
        if former is None:
            made = await clients.register(
                self.tenant, entry.name, metadata, client_id=client_id, actor=self.actor
            )
            secret = made.secret
            if entry.status == "active":
                return secret
        changed = await clients.change(
            self.tenant, client_id, metadata.model_dump(), name=entry.name, status=entry.status,
            development=self.how.development, actor=self.actor,
        )  # fmt: skip
        return changed.secret or secret

    async def _take_away(self) -> None:
        """What the document has no more: clients, then their scopes and APIs, then claims."""
        for client_id in _gone(self.before.clients, self.wanted.clients):
            power.check(self.how.held, (self.before.clients or {})[client_id], None)
            await clients.delete(self.tenant, client_id, self.actor)
        for name in _gone(self.before.scopes, self.wanted.scopes):
            await scopes.remove(self.tenant, name, actor=self.actor)
        for identifier, entry in (self.wanted.apis or {}).items():
            former = (self.before.apis or {}).get(identifier)
            for name in _gone(former.scopes if former else {}, entry.scopes):
                await scopes.remove(self.tenant, name, actor=self.actor)
        for identifier in _gone(self.before.apis, self.wanted.apis):
            await servers.delete(self.tenant, identifier, actor=self.actor)
        for claim in _gone(self.before.claims, self.wanted.claims):
            await claims.unmap(self.tenant, claim, self.actor)


def _settings(entry: ApiEntry) -> ServerSettings:
    return parse_settings(entry.settings)


def _stopped(before: Document, after: Document) -> tuple[str, ...]:
    former, present = before.clients or {}, after.clients or {}
    return tuple(
        client_id
        for client_id, entry in former.items()
        if entry.status != "inactive"
        and client_id in present
        and present[client_id].status == "inactive"
    )


def _gone(before: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> list[str]:
    """What was there and is not wanted; nothing where the part is not touched."""
    return [] if wanted is None else [name for name in before or {} if name not in wanted]
