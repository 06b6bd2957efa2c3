"""insula client: the applications of a tenant."""

import json as jsonlib
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from insula.audit.models import SYSTEM
from insula.clients import service
from insula.clients.administration import service as administration
from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import Metadata, Mode, Status
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.context import opened
from insula.resource_servers.preview import preview

app = typer.Typer(
    help="Register applications, change them, renew their secrets.", no_args_is_help=True
)

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
ClientId = Annotated[str, typer.Argument(help="The client_id.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as name=value; lists as JSON. Repeatable."),
]


Keys = Annotated[
    Path | None,
    typer.Option("--jwks", exists=True, dir_okay=False, help="A file with its public JWK Set."),
]


def _with_keys(values: dict[str, Any], jwks: Path | None) -> dict[str, Any]:
    if jwks is None:
        return values
    try:
        return {**values, "jwks": jsonlib.loads(jwks.read_text())}
    except ValueError as error:
        raise InvalidClientMetadata(f"{jwks} is not JSON", field="jwks") from error


def parse_settings(pairs: list[str] | None) -> dict[str, Any]:
    """name=value pairs as metadata: JSON where it is JSON, else text."""
    values = read_pairs(pairs or [])
    for name in values:
        if name not in Metadata.model_fields:
            raise InvalidClientMetadata(
                f"no such setting; there are {', '.join(sorted(Metadata.model_fields))}", field=name
            )
    return values


@app.command("list")
def list_clients(
    tenant: InTenant = None,
    after: Annotated[str, typer.Option(help="Continue after this client_id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    json: Json = False,
) -> None:
    """Applications by client_id."""

    async def work() -> None:
        async with opened() as here:
            rows = await service.list_clients(await here.tenant(tenant), after=after, limit=limit)
        show_rows(
            [row._asdict() for row in rows],
            ("client_id", "name", "status", "created_at"),
            json=json,
        )

    run(work, json=json)


@app.command()
def add(  # noqa: PLR0913  (options of a command)
    name: str,
    tenant: InTenant = None,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None,
    public: Annotated[bool, typer.Option(help="It cannot keep a secret: PKCE instead.")] = False,  # noqa: FBT002  (how typer has flags)
    machine: Annotated[bool, typer.Option(help="It acts for itself: client_credentials.")] = False,  # noqa: FBT002  (how typer has flags)
    client_id: Annotated[str | None, typer.Option(help="Choose the id; else it is random.")] = None,
    settings: Settings = None,
    jwks: Keys = None,
    *,
    json: Json = False,
) -> None:
    """Register an application; its secret is shown once."""

    async def work() -> None:
        values: dict[str, Any] = {"redirect_uris": tuple(redirect_uri or ())}
        if public:
            values["token_endpoint_auth_method"] = "none"
        if machine:
            values |= {"grant_types": ("client_credentials",), "scopes": ()}
        values |= _with_keys(parse_settings(settings), jwks)
        async with opened() as here:
            development = here.settings.env == "development"
            metadata = service.parse_metadata(values, development=development)
            made = await service.register(
                await here.tenant(tenant), name, metadata, client_id=client_id
            )
        shown = {"client_id": made.client_id, "client_secret": made.secret}
        text = f"client_id      {made.client_id}"
        if made.secret:
            text += f"\nclient_secret  {made.secret}   (shown once)"
        show(shown, json=json, text=text)

    run(work, json=json)


@app.command("set")
def change(  # noqa: PLR0913  (options of a command)
    client_id: ClientId,
    tenant: InTenant = None,
    settings: Settings = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    jwks: Keys = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would stop working, and change nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Change settings; every process follows at once."""

    async def work() -> None:
        changes = _with_keys(parse_settings(settings), jwks)
        async with opened() as here:
            owner, development = await here.tenant(tenant), here.settings.env == "development"
            if dry_run:
                told = await service.preview_change(
                    owner, client_id, changes, development=development
                )
                text = "\n".join(told) or "Nothing stops working."
                show({"stops": told}, json=json, text=text)
                return
            done = await service.change(
                owner, client_id, changes, name=name, development=development
            )
        text = f"{client_id} is changed."
        if done.secret:
            text += f"\nclient_secret  {done.secret}   (shown once)"
        shown = {**done.metadata.model_dump(mode="json"), "client_secret": done.secret}
        show(shown, json=json, text=text)

    run(work, json=json)


def _say_status(client_id: str, status: Status, *, json: bool) -> None:
    show({"client_id": client_id, "status": status}, json=json, text=f"{client_id} is {status}.")


@app.command()
def deactivate(
    client_id: ClientId,
    tenant: InTenant = None,
    mode: Annotated[
        Mode, typer.Option(help="stop: refuse all, end its tokens. new_flows: begin nothing new.")
    ] = "stop",
    *,
    json: Json = False,
) -> None:
    """Refuse an application and end its tokens, or only let it begin nothing new; at once."""

    async def work() -> None:
        async with opened() as here:
            house = await here.tenant(tenant)
            found = await administration.named(house, client_id)
            after = await administration.deactivate(
                house,
                found.id,
                mode,
                development=here.settings.env == "development",
                actor=SYSTEM,
            )
        _say_status(client_id, after.status, json=json)

    run(work, json=json)


@app.command()
def activate(client_id: ClientId, tenant: InTenant = None, *, json: Json = False) -> None:
    """Serve an application again."""

    async def work() -> None:
        async with opened() as here:
            await service.change(
                await here.tenant(tenant),
                client_id,
                {},
                status="active",
                development=here.settings.env == "development",
            )
        _say_status(client_id, "active", json=json)

    run(work, json=json)


@app.command("show")
def show_client(client_id: ClientId, tenant: InTenant = None, *, json: Json = False) -> None:
    """Show an application with all its settings; its secrets are not known any more."""

    async def work() -> None:
        async with opened() as here:
            found = await administration.named(await here.tenant(tenant), client_id)
        shown = {
            "client_id": found.client_id,
            "name": found.name,
            "status": found.status,
            "verified": found.is_verified,
            **found.metadata.model_dump(mode="json"),
        }
        show(shown, json=json, text=jsonlib.dumps(shown, indent=2, ensure_ascii=False))

    run(work, json=json)


@app.command("preview")
def show_preview(
    client_id: ClientId,
    user: Annotated[str, typer.Option(help="User name or e-mail address.")],
    scope: Annotated[
        str | None, typer.Option(help="Scopes with spaces between; else all of the client's.")
    ] = None,
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Show what an application would be told of a person; nothing is issued."""

    async def work() -> None:
        async with opened() as here:
            found = await preview(
                await here.tenant(tenant), client_id, user, None if scope is None else scope.split()
            )
        shown = asdict(found)
        show(shown, json=json, text=jsonlib.dumps(shown, indent=2, ensure_ascii=False))

    run(work, json=json)


def _mark(client_id: str, tenant: str | None, *, verified: bool, json: bool) -> None:
    act = service.verify if verified else service.unverify

    async def work() -> None:
        async with opened() as here:
            await act(await here.tenant(tenant), client_id)
        word = "verified" if verified else "not verified"
        show(
            {"client_id": client_id, "verified": verified},
            json=json,
            text=f"{client_id} is {word}.",
        )

    run(work, json=json)


@app.command()
def verify(client_id: ClientId, tenant: InTenant = None, *, json: Json = False) -> None:
    """Vouch for an application that registered itself: people are no longer warned of it."""
    _mark(client_id, tenant, verified=True, json=json)


@app.command()
def unverify(client_id: ClientId, tenant: InTenant = None, *, json: Json = False) -> None:
    """Take that back."""
    _mark(client_id, tenant, verified=False, json=json)


@app.command()
def adopt(client_id: ClientId, tenant: InTenant = None, *, json: Json = False) -> None:
    """Take over an application that registered itself: it can no longer change or delete itself."""

    async def work() -> None:
        async with opened() as here:
            await service.adopt(await here.tenant(tenant), client_id)
        show(
            {"client_id": client_id, "adopted": True},
            json=json,
            text=f"{client_id} is yours to manage.",
        )

    run(work, json=json)


@app.command("rotate-secret")
def rotate_secret(
    client_id: ClientId,
    tenant: InTenant = None,
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="The old one lives on.")] = 0,
    *,
    json: Json = False,
) -> None:
    """Make a new secret, shown once."""

    async def work() -> None:
        async with opened() as here:
            secret = await service.rotate_secret(
                await here.tenant(tenant), client_id, overlap=timedelta(hours=overlap_hours)
            )
        show(
            {"client_id": client_id, "client_secret": secret},
            json=json,
            text=f"client_secret  {secret}   (shown once)",
        )

    run(work, json=json)


@app.command()
def delete(
    client_id: ClientId,
    tenant: InTenant = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002  (how typer has flags)
    *,
    json: Json = False,
) -> None:
    """Delete an application; its codes and tokens end."""
    if not yes:
        typer.confirm(f"Delete {client_id} and end all its tokens?", abort=True)

    async def work() -> None:
        async with opened() as here:
            await service.delete(await here.tenant(tenant), client_id)
        show({"client_id": client_id, "deleted": True}, json=json, text=f"{client_id} is deleted.")

    run(work, json=json)
