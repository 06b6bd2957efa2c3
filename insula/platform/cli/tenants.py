"""insula tenant: a tenant's life."""

from typing import Annotated, Any

import typer

from insula.deletion import service as deletion
from insula.kernel.errors import Invalid
from insula.platform.cli import domains
from insula.platform.cli.domains import Vouched
from insula.platform.cli.links import in_words, linked
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.context import opened
from insula.platform.sections import CATALOGUE
from insula.tenant_templates.models import Choice
from insula.tenants import founding, service
from insula.tenants.domains.claims import Wish
from insula.tenants.models import Status

app = typer.Typer(
    help="Create tenants, prove their domains, change their state.", no_args_is_help=True
)

app.add_typer(domains.app, name="domain")

Slug = Annotated[str, typer.Argument(help="The tenant's slug.")]


@app.command("list")
def list_tenants(
    after: Annotated[str, typer.Option(help="Continue after this slug.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    json: Json = False,
) -> None:
    """Tenants by slug."""

    async def work() -> None:
        async with opened() as here:
            rows = await service.list_tenants(here.platform, after=after, limit=limit)
        show_rows(
            [row._asdict() for row in rows],
            ("slug", "display_name", "status", "version", "created_at"),
            json=json,
        )

    run(work, json=json)


@app.command()
def create(  # noqa: PLR0913  (options of a command)
    slug: Slug,
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    domain: Annotated[
        str | None, typer.Option(help="A login domain; its issuer's host once it is proven.")
    ] = None,
    proven_by_operator: Vouched = None,
    admin_email: Annotated[
        str | None, typer.Option(help="Make its first administrator and print their link.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="Begin with what `insula platform template list` names.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Create a tenant with its keys."""

    async def work() -> None:
        async with opened() as here:
            rules = here.settings.resolution_rules()
            first = await founding.found(
                here.platform,
                here.envelope,
                here.rotation,
                slug=slug,
                display_name=slug if name is None else name,
                wish=None
                if domain is None
                else Wish(domain, primary=True, vouched=proven_by_operator),
                base=rules.naming.base,
                host_needed="header" not in rules.priority or not rules.trusted,
                first_admin_email=admin_email,
                template=Choice(template, CATALOGUE) if template else None,
            )
            tenant = await here.tenant(slug)
        shown: dict[str, Any] = {"slug": slug, "id": tenant.id, "issuer": tenant.issuer}
        text = f"Created {slug}. Its issuer is {tenant.issuer}"
        if first is not None:
            shown["first_admin"] = {"email": first.email, **linked(first.link, tenant.issuer)}
            text += f"\n{in_words(first.link, tenant.issuer, first.email)}"
        show(shown, json=json, text=text)

    run(work, json=json)


def _status(slug: str, status: Status, reason: str, *, json: bool) -> None:
    async def work() -> None:
        async with opened() as here:
            await service.set_status(here.platform, slug, status, reason=reason)
        show({"slug": slug, "status": status}, json=json, text=f"{slug} is {status}.")

    run(work, json=json)


Reason = Annotated[str, typer.Option(help="Why; kept in the record.")]


@app.command()
def suspend(slug: Slug, reason: Reason = "", *, json: Json = False) -> None:
    """Stop serving a tenant, at once; nothing is lost."""
    _status(slug, "suspended", reason, json=json)


@app.command()
def activate(slug: Slug, reason: Reason = "", *, json: Json = False) -> None:
    """Serve a suspended or archived tenant again."""
    _status(slug, "active", reason, json=json)


@app.command()
def archive(slug: Slug, reason: Reason = "", *, json: Json = False) -> None:
    """Put a tenant away and keep its data."""
    _status(slug, "archived", reason, json=json)


@app.command()
def rename(slug: Slug, name: str, *, json: Json = False) -> None:
    """Change what a tenant is called."""

    async def work() -> None:
        async with opened() as here:
            await service.rename(here.platform, slug, name)
        show({"slug": slug, "display_name": name}, json=json, text=f"{slug} is called {name}.")

    run(work, json=json)


@app.command()
def delete(
    slug: Slug,
    reason: Reason = "",
    confirm: Annotated[str, typer.Option(help="The slug again: this ends in a purge.")] = "",
    *,
    json: Json = False,
) -> None:
    """End a tenant's access now and purge it after the grace; `undo-delete` takes it back."""

    async def work() -> None:
        if confirm != slug:
            raise Invalid("repeat the slug", field="--confirm", example=f"--confirm {slug}")
        async with opened() as here:
            due = await deletion.schedule(here.platform, slug, reason=reason)
        show(
            {"slug": slug, "status": "deleting", "due_at": due},
            json=json,
            text=f"{slug} answers nobody any more; it is purged from {due:%Y-%m-%d %H:%M} UTC on.",
        )

    run(work, json=json)


@app.command("undo-delete")
def undo_delete(slug: Slug, *, json: Json = False) -> None:
    """Take a deletion back, as long as its purge has not begun."""

    async def work() -> None:
        async with opened() as here:
            status = await deletion.undo(here.platform, slug)
        show({"slug": slug, "status": status}, json=json, text=f"{slug} is {status} again.")

    run(work, json=json)


@app.command("deletion")
def show_deletion(slug: Slug, *, json: Json = False) -> None:
    """How far the deletion of a tenant is; its certificate, once it is purged."""

    async def work() -> None:
        async with opened() as here:
            found = await deletion.find(here.platform, slug)
        told = {
            "slug": found.slug,
            "id": found.subject,
            "state": found.state,
            "due_at": found.due_at,
            "rows_deleted": found.rows_deleted,
            "rows_estimated": found.rows_estimated,
            "certificate": found.certificate,
        }
        text = f"{slug}: {found.state}, {found.rows_deleted} of about {found.rows_estimated} rows"
        show(told, json=json, text=f"{text}\n{found.certificate or ''}".rstrip())

    run(work, json=json)
