"""insula resource-server, scope and claim: the APIs of a tenant, and what is told to whom."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.context import opened
from insula.resource_servers import claims, scopes, servers
from insula.resource_servers.errors import NoSuchResourceServer
from insula.resource_servers.models import parse_settings, settings_of
from insula.tenancy.db import Row

server_app = typer.Typer(help="The APIs of a tenant.", no_args_is_help=True)
scope_app = typer.Typer(
    help="What may be asked for, at an API or about a person.", no_args_is_help=True
)
claim_app = typer.Typer(
    help="Claims of a tenant's own, each from an attribute of its people.", no_args_is_help=True
)

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
Identifier = Annotated[str, typer.Argument(help="The URI that tokens for it name as audience.")]
ScopeName = Annotated[str, typer.Argument(help="The word that is asked for.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as name=value; lists as JSON. Repeatable."),
]
Claims = Annotated[
    list[str] | None,
    typer.Option("--claim", help="A claim that it stands for. Repeatable."),
]
Title = Annotated[str | None, typer.Option(help="What the consent page calls it.")]
Description = Annotated[str | None, typer.Option(help="What the consent page says of it.")]
Force = Annotated[
    bool, typer.Option("--force", help="Take it from the applications that use it, too.")
]


def _shown(row: Row) -> dict[str, Any]:
    settings = settings_of(row.settings).model_dump(mode="json")
    return {"identifier": row.identifier, "name": row.name, **settings, "scopes": row.scopes}


@server_app.command("list")
def list_servers(tenant: InTenant = None, *, json: Json = False) -> None:
    """APIs by identifier."""

    async def work() -> None:
        async with opened() as here:
            rows = await servers.list_servers(await here.tenant(tenant))
        columns = ("identifier", "name", "token_format", "signing_alg", "scopes")
        show_rows([_shown(row) for row in rows], columns, json=json)

    run(work, json=json)


@server_app.command("show")
def show_server(identifier: Identifier, tenant: InTenant = None, *, json: Json = False) -> None:
    """One API with all its settings."""

    async def work() -> None:
        async with opened() as here:
            rows = await servers.list_servers(await here.tenant(tenant))
        found = [_shown(row) for row in rows if row.identifier == identifier]
        if not found:
            raise NoSuchResourceServer("No resource server of that identifier in this tenant.")
        show(found[0], json=json, text=_lines(found[0]))

    run(work, json=json)


def _lines(values: Mapping[str, Any]) -> str:
    widest = max(map(len, values))
    return "\n".join(f"{name:<{widest}}  {value}" for name, value in values.items())


@server_app.command("add")
def add_server(
    identifier: Identifier,
    name: Annotated[str, typer.Option(help="What people call it.")],
    tenant: InTenant = None,
    settings: Settings = None,
    *,
    json: Json = False,
) -> None:
    """Make an API known."""

    async def work() -> None:
        wanted = parse_settings(read_pairs(settings or []))
        async with opened() as here:
            await servers.add(await here.tenant(tenant), identifier, name, wanted)
        shown = {"identifier": identifier, "name": name, **wanted.model_dump(mode="json")}
        show(shown, json=json, text=f"{identifier} is known.")

    run(work, json=json)


@server_app.command("set")
def change_server(
    identifier: Identifier,
    tenant: InTenant = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    settings: Settings = None,
    *,
    json: Json = False,
) -> None:
    """Change settings; every process follows at once."""

    async def work() -> None:
        async with opened() as here:
            after = await servers.change(
                await here.tenant(tenant), identifier, read_pairs(settings or []), name=name
            )
        show(after.model_dump(mode="json"), json=json, text=f"{identifier} is changed.")

    run(work, json=json)


@server_app.command("delete")
def delete_server(
    identifier: Identifier, tenant: InTenant = None, *, force: Force = False, json: Json = False
) -> None:
    """Take an API away, with its scopes."""

    async def work() -> None:
        async with opened() as here:
            lost = await servers.delete(await here.tenant(tenant), identifier, force=force)
        _gone(identifier, lost, json=json)

    run(work, json=json)


def _gone(name: str, clients: list[str], *, json: bool) -> None:
    text = f"{name} is gone."
    if clients:
        text += f" So it is from {', '.join(clients)}."
    show({"deleted": name, "clients": clients}, json=json, text=text)


@scope_app.command("list")
def list_scopes(tenant: InTenant = None, *, json: Json = False) -> None:
    """Scopes of the tenant's own by name; those of OpenID Connect are always there."""

    async def work() -> None:
        async with opened() as here:
            rows = await scopes.list_scopes(await here.tenant(tenant))
        columns = ("name", "resource_server", "title", "claims")
        show_rows([row._asdict() for row in rows], columns, json=json)

    run(work, json=json)


@scope_app.command("add")
def add_scope(  # noqa: PLR0913  (options of a command)
    name: ScopeName,
    tenant: InTenant = None,
    resource_server: Annotated[
        str | None, typer.Option(help="The API it is of; without one it stands for claims.")
    ] = None,
    title: Title = None,
    description: Description = None,
    claim: Claims = None,
    *,
    json: Json = False,
) -> None:
    """Make a scope."""

    async def work() -> None:
        async with opened() as here:
            await scopes.add(
                await here.tenant(tenant),
                name,
                resource_server=resource_server,
                title=title or "",
                description=description or "",
                claims=claim or (),
            )
        show({"scope": name}, json=json, text=f"{name} is known.")

    run(work, json=json)


@scope_app.command("set")
def change_scope(  # noqa: PLR0913  (each by its name)
    name: ScopeName,
    tenant: InTenant = None,
    title: Title = None,
    description: Description = None,
    claim: Claims = None,
    *,
    json: Json = False,
) -> None:
    """Change what a scope says or stands for; claims that are given replace all of it."""

    async def work() -> None:
        async with opened() as here:
            await scopes.change(
                await here.tenant(tenant), name, title=title, description=description, claims=claim
            )
        show({"scope": name}, json=json, text=f"{name} is changed.")

    run(work, json=json)


@scope_app.command("delete")
def delete_scope(
    name: ScopeName, tenant: InTenant = None, *, force: Force = False, json: Json = False
) -> None:
    """Take a scope away."""

    async def work() -> None:
        async with opened() as here:
            lost = await scopes.remove(await here.tenant(tenant), name, force=force)
        _gone(name, lost, json=json)

    run(work, json=json)


@claim_app.command("list")
def list_claims(tenant: InTenant = None, *, json: Json = False) -> None:
    """Claims of the tenant's own, with the attribute that each tells."""

    async def work() -> None:
        async with opened() as here:
            rows = await claims.list_mappings(await here.tenant(tenant))
        show_rows([row._asdict() for row in rows], ("claim", "attribute"), json=json)

    run(work, json=json)


@claim_app.command("map")
def map_claim(claim: str, attribute: str, tenant: InTenant = None, *, json: Json = False) -> None:
    """Let a claim tell an attribute of a person."""

    async def work() -> None:
        async with opened() as here:
            await claims.map_claim(await here.tenant(tenant), claim, attribute)
        show({"claim": claim, "attribute": attribute}, json=json, text=f"{claim} is mapped.")

    run(work, json=json)


@claim_app.command("unmap")
def unmap(claim: str, tenant: InTenant = None, *, json: Json = False) -> None:
    """Take a mapping away."""

    async def work() -> None:
        async with opened() as here:
            await claims.unmap(await here.tenant(tenant), claim)
        show({"deleted": claim}, json=json, text=f"{claim} is mapped no more.")

    run(work, json=json)
