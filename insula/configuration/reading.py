"""The document of a tenant, as it is."""

from typing import Any

from insula.clients import service as clients
from insula.clients.models import Metadata, following, from_row
from insula.config_overrides import service as config_overrides
from insula.configuration.models import ApiEntry, ClientEntry, Document, ScopeEntry
from insula.resource_servers import claims, scopes, servers
from insula.resource_servers.models import ServerSettings
from insula.tenancy.db import Row, Tenant

_PAGE = 200


async def read(tenant: Tenant) -> Document:
    """
    Everything that the tenant's administrators have decided, in one transaction.

    Secrets among the settings are sealed: `Document.masked` before it is shown.
    """
    async with tenant.transaction() as db:
        joined = tenant.joining(db)
        own = (await config_overrides.load_in(db)).own
        apis, scopes_of_tenant = await _apis(joined)
        return Document(
            settings={key: dict(values) for key, values in own.items() if values},
            claims={row.claim: row.attribute for row in await claims.list_mappings(joined)},
            apis=apis,
            scopes=scopes_of_tenant,
            clients=await _clients(joined),
        )


async def _apis(tenant: Tenant) -> tuple[dict[str, ApiEntry], dict[str, ScopeEntry]]:
    """The APIs with their scopes, and the scopes that belong to none."""
    own: dict[str, ScopeEntry] = {}
    of_api: dict[str, dict[str, ScopeEntry]] = {}
    for row in await scopes.list_scopes(tenant):
        entry = ScopeEntry(
            title=row.title, description=row.description, claims=tuple(row.claims or ())
        )
        place = own if row.resource_server is None else of_api.setdefault(row.resource_server, {})
        place[row.name] = entry
    apis = {
        row.identifier: ApiEntry(
            name=row.name,
            settings=plain_settings(row.settings),
            scopes=of_api.get(row.identifier, {}),
        )
        for row in await servers.list_servers(tenant)
    }
    return apis, own


def plain_settings(stored: dict[str, Any]) -> dict[str, Any]:
    """The settings of an API that differ from what is built in."""
    default = ServerSettings().model_dump(mode="json")
    return {name: v for name, v in stored.items() if name in default and v != default[name]}


async def _clients(tenant: Tenant) -> dict[str, ClientEntry]:
    found: dict[str, ClientEntry] = {}
    after = ""
    while True:
        page = await clients.list_clients(tenant, after=after, limit=_PAGE)
        found |= {row.client_id: entry_of(row) for row in page if row.origin != "dynamic"}
        if len(page) < _PAGE:
            return found
        after = page[-1].client_id


def entry_of(row: Row) -> ClientEntry:
    """A client as the document has it."""
    return ClientEntry(
        name=row.name, status=row.status, metadata=plain_metadata(from_row(row.metadata))
    )


def plain_metadata(metadata: Metadata) -> dict[str, Any]:
    """The settings of a client that neither are built in nor follow from others."""
    values = metadata.model_dump(mode="json")
    default = Metadata().model_dump(mode="json")
    follows = {name: list(value) if isinstance(value, tuple) else value
               for name, value in following(values).items()}  # fmt: skip
    base = {**default, **follows}
    return {name: value for name, value in values.items() if value != base[name]}
