"""insula client release and its like: giving an object that files own back to hands."""

from collections.abc import Callable
from typing import Annotated

import typer

from insula.audit.models import SYSTEM
from insula.ownership import service
from insula.ownership.models import Part, Place
from insula.platform.cli.output import Json, run, show
from insula.platform.context import opened

Name = Annotated[str, typer.Argument(help="Its name, as the file has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; shown by `insula drift`.")]
InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]


def releasing(part: Part) -> Callable[..., None]:
    """The command `release` for the objects of one part of a document."""

    def release(name: Name, reason: Reason, tenant: InTenant = None, *, json: Json = False) -> None:
        """Give back to hands what files own, until the files are applied again."""

        async def work() -> None:
            place = Place(part, name)
            async with opened() as here, (await here.tenant(tenant)).transaction() as db:
                await service.release(db, place, reason, SYSTEM)
            show({"released": str(place)}, json=json, text=f"Released: {place}.")

        run(work, json=json)

    return release
