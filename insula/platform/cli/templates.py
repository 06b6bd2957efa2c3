"""insula platform template: what new tenants can begin with."""

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

from insula.audit.models import SYSTEM
from insula.config_overrides import service as config_overrides
from insula.kernel.errors import Invalid
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.context import Context, opened
from insula.platform.sections import CATALOGUE
from insula.tenancy.models import PLATFORMS
from insula.tenant_templates import service
from insula.tenant_templates.errors import NoSuchTemplate
from insula.tenant_templates.models import Template, taken_from

app = typer.Typer(
    help="Named sets of settings that tenants are founded from.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The template's name.")]


def _told(found: Template) -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version,
        "description": found.description,
        "settings": found.settings,
        "saved_by": found.by.get("id") or found.by["type"],
        "saved_at": found.at,
    }


@app.command("list")
def list_templates(*, json: Json = False) -> None:
    """Every template as it is now."""

    async def work() -> None:
        async with opened() as here, here.platform.transaction() as db:
            found = await service.list_all(db)
        columns = ("name", "version", "description", "saved_by", "saved_at")
        show_rows([_told(each) for each in found], columns, json=json)

    run(work, json=json)


@app.command("show")
def show_template(
    name: Name,
    version: Annotated[int | None, typer.Option(min=1, help="Else the newest.")] = None,
    *,
    json: Json = False,
) -> None:
    """What a template says."""

    async def work() -> None:
        async with opened() as here, here.platform.transaction() as db:
            found = await service.get(db, name, version)
        text = f"{found.label} {found.description}".strip()
        settings = jsonlib.dumps(found.settings, indent=2, sort_keys=True)
        show(_told(found), json=json, text=f"{text}\n{settings}")

    run(work, json=json)


@app.command()
def save(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON of sections and their fields.", exists=True, dir_okay=False),
    ] = None,
    from_tenant: Annotated[
        str | None, typer.Option(help="What this tenant has decided, but for images and secrets.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Else it stays as it is.")] = None,
    *,
    json: Json = False,
) -> None:
    """Make a template, or save a new version of one."""

    async def work() -> None:
        if (file is None) == (from_tenant is None):
            raise Invalid("name either a file or --from-tenant", field="file")
        async with opened() as here:
            settings = _read(file) if file else await _of_tenant(here, from_tenant)
            home = await here.tenant(PLATFORMS)
            async with here.platform.within(home.id) as db:
                try:
                    before = await service.get(db, name)
                except NoSuchTemplate:
                    saved = await service.create(
                        db, CATALOGUE, name, settings, description=description or "", actor=SYSTEM
                    )
                else:
                    text = before.description if description is None else description
                    saved = await service.replace(
                        db, CATALOGUE, name, settings, description=text, actor=SYSTEM
                    )
        show(_told(saved), json=json, text=f"Saved {saved.label}.")

    run(work, json=json)


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = jsonlib.loads(file.read_text())
    except ValueError as error:
        raise Invalid(f"{file.name} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise Invalid(f"{file.name} must be an object of sections", example='{"oidc.ttl": {}}')
    return found


async def _of_tenant(here: Context, slug: str | None) -> dict[str, dict[str, Any]]:
    return taken_from(CATALOGUE, await config_overrides.load(await here.tenant(slug)))


@app.command()
def delete(
    name: Name,
    confirm: Annotated[str, typer.Option(help="The name again.")] = "",
    *,
    json: Json = False,
) -> None:
    """Delete a template with its versions; tenants that were founded from it stay as they are."""

    async def work() -> None:
        if confirm != name:
            raise Invalid("repeat the name", field="--confirm", example=f"--confirm {name}")
        async with opened() as here:
            home = await here.tenant(PLATFORMS)
            async with here.platform.within(home.id) as db:
                await service.delete(db, name, SYSTEM)
        show({"deleted": name}, json=json, text=f"{name} is deleted.")

    run(work, json=json)
