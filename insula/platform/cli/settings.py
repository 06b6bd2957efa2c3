"""insula settings: what a tenant has decided for itself."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from insula.config_overrides import service
from insula.config_overrides.errors import NotOverridable
from insula.kernel.settings import Section
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.context import opened
from insula.providers.settings import ProtocolFeatures, TokenLifetimes
from insula.registration.settings import RegistrationLimits

app = typer.Typer(
    help="See and change what a tenant decides for itself: docs/configuration.md has all fields.",
    no_args_is_help=True,
)

#: The sections that take effect for each tenant.
SETTABLE: Final[Mapping[str, type[Section]]] = {
    section.key: section for section in (ProtocolFeatures, RegistrationLimits, TokenLifetimes)
}
_COLUMNS: Final = ("section", "field", "value", "default", "set_by")

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
SectionKey = Annotated[str, typer.Argument(help=f"One of {', '.join(SETTABLE)}.")]


def _section(key: str) -> type[Section]:
    if key not in SETTABLE:
        raise NotOverridable(f"one of {', '.join(SETTABLE)}", field="section", example="oidc.ttl")
    return SETTABLE[key]


def _rows(effective: Section, own: frozenset[str]) -> Iterator[dict[str, Any]]:
    for name, info in type(effective).model_fields.items():
        yield {
            "section": effective.key,
            "field": name,
            "value": getattr(effective, name),
            "default": info.get_default(),
            "set_by": "the tenant" if name in own else None,
        }


def _print(sections: list[type[Section]], stored: service.Stored, *, json: bool) -> None:
    rows = [
        row
        for section in sections
        for row in _rows(service.read(stored, section), service.overridden(stored, section))
    ]
    show_rows(rows, _COLUMNS, json=json)


@app.command("list")
def list_settings(tenant: InTenant = None, *, json: Json = False) -> None:
    """Every setting as it holds for a tenant."""

    async def work() -> None:
        async with opened() as here:
            stored = await service.load(await here.tenant(tenant))
        _print(list(SETTABLE.values()), stored, json=json)

    run(work, json=json)


@app.command("show")
def show_section(section: SectionKey, tenant: InTenant = None, *, json: Json = False) -> None:
    """One section as it holds for a tenant."""

    async def work() -> None:
        kind = _section(section)
        async with opened() as here:
            stored = await service.load(await here.tenant(tenant))
        _print([kind], stored, json=json)

    run(work, json=json)


@app.command("set")
def change(
    section: SectionKey,
    pairs: Annotated[list[str], typer.Argument(help="name=value, one or more.")],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Set fields of a section; every process follows at once."""

    async def work() -> None:
        kind, values = _section(section), read_pairs(pairs)
        async with opened() as here:
            after = await service.change(await here.tenant(tenant), kind, values)
        show(after.model_dump(mode="json"), json=json, text=f"{section} is changed.")

    run(work, json=json)


@app.command()
def unset(
    section: SectionKey,
    field: Annotated[str | None, typer.Argument(help="One field; without it all of them.")] = None,
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Go back to what is built in."""

    async def work() -> None:
        kind = _section(section)
        async with opened() as here:
            after = await service.reset(await here.tenant(tenant), kind, field)
        name = f"{section}.{field}" if field else section
        show(after.model_dump(mode="json"), json=json, text=f"{name} is as built in.")

    run(work, json=json)
