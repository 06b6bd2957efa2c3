"""insula registration-tokens: what lets programs register applications of a tenant."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.context import opened
from insula.registration import initial_tokens
from insula.registration.models import LONGEST_LIFE, MOST_USES, SHORTEST_LIFE

app = typer.Typer(
    help="Let programs register applications, as often and as far as a token says.",
    no_args_is_help=True,
)

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
_COLUMNS = ("id", "label", "uses_left", "expires_at", "revoked_at", "policy")


@app.command()
def create(  # noqa: PLR0913  (options of a command)
    tenant: InTenant = None,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    uses: Annotated[int, typer.Option(min=1, max=MOST_USES, help="How many registrations.")] = 1,
    life: Annotated[
        int, typer.Option(min=SHORTEST_LIFE, max=LONGEST_LIFE, help="Seconds it is good for.")
    ] = 86400,
    profile: Annotated[
        str | None, typer.Option(help="The profile of its applications; else the tenant's.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope that they may have; repeatable.")
    ] = None,
    redirect_host: Annotated[
        list[str] | None, typer.Option(help="A host that they may redirect to; repeatable.")
    ] = None,
    auth_method: Annotated[
        list[str] | None, typer.Option(help="How they may prove themselves; repeatable.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make a token; it is shown once."""
    asked: dict[str, Any] = {
        "profile": profile,
        "scopes": scope or None,
        "redirect_hosts": redirect_host or None,
        "auth_methods": auth_method or None,
    }

    async def work() -> None:
        async with opened() as here:
            house = await here.tenant(tenant)
            policy = initial_tokens.parse_policy(house, asked)
            token, row = await initial_tokens.create(
                house, label=label, uses=uses, life=timedelta(seconds=life), policy=policy
            )
        shown = {
            "id": row.id,
            "token": token,
            "uses_left": row.uses_left,
            "expires_at": row.expires_at,
            "policy": row.policy,
        }
        show(shown, json=json, text=f"id     {row.id}\ntoken  {token}   (shown once)")

    run(work, json=json)


@app.command("list")
def list_tokens(
    tenant: InTenant = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    *,
    json: Json = False,
) -> None:
    """Tokens, the newest first."""

    async def work() -> None:
        async with opened() as here:
            rows = await initial_tokens.list_tokens(await here.tenant(tenant), limit=limit)
        show_rows([row._asdict() for row in rows], _COLUMNS, json=json)

    run(work, json=json)


@app.command()
def revoke(
    token_id: Annotated[UUID, typer.Argument(help="The id of the token.")],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Let a token register nothing more; its applications stay."""

    async def work() -> None:
        async with opened() as here:
            await initial_tokens.revoke(await here.tenant(tenant), token_id)
        show({"id": token_id, "revoked": True}, json=json, text=f"{token_id} is revoked.")

    run(work, json=json)
