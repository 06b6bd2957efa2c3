"""insula admin: the first administrator of a tenant, or of the whole installation."""

from typing import Annotated

import typer

from insula.platform import bootstrap
from insula.platform.cli.links import in_words, linked
from insula.platform.cli.output import Json, run, show
from insula.platform.context import opened
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants

app = typer.Typer(help="Make the first administrator.", no_args_is_help=True)


@app.callback()
def administrators() -> None:
    """A group, however few commands there are in it."""


@app.command("bootstrap")
def make_first(
    email: Annotated[str, typer.Option(help="Their e-mail address.")],
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", "-t", help="The tenant's slug; else the platform's own."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make the first administrator where there is none, and print a link; again: a new link."""

    async def work() -> None:
        async with opened() as here:
            if tenant is None:  # before the first start they are not there
                await tenants.ensure_special(here.platform, here.envelope, here.rotation)
            slug = tenant or (PLATFORMS if here.settings.naming().multi_tenant else None)
            owner = await here.tenant(slug)
            link = await bootstrap.invite_administrator(here.platform, owner, email)
        shown = {"tenant": owner.slug, "email": email, **linked(link, owner.issuer)}
        show(shown, json=json, text=in_words(link, owner.issuer, email))

    run(work, json=json)
