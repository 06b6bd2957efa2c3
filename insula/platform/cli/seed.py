"""insula seed: many tenants for measurements, and away with them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from insula.kernel.crypto import Envelope
from insula.keys.settings import KeyRotation
from insula.platform import environment
from insula.platform.cli.output import Json, err, run, show
from insula.platform.context import opened
from insula.platform.environment import Settings
from insula.platform.seeding import service
from insula.platform.seeding.models import MOST, Size, client_id_of, secret_of, slug_of


def seed(
    tenants: Annotated[int, typer.Option(min=1, max=MOST, help="How many there shall be.")] = 1000,
    users: Annotated[int, typer.Option(min=0, max=1000, help="People of each.")] = 2,
    clients: Annotated[int, typer.Option(min=0, max=100, help="Clients of each.")] = 1,
    remove: Annotated[bool, typer.Option(help="Take all of them away instead.")] = False,  # noqa: FBT002  (how typer has flags)
    *,
    json: Json = False,
) -> None:
    """Make many tenants with people and clients, for measurements; development only."""

    async def work() -> None:
        needs = (*environment.SERVE, *(environment.MIGRATE if remove else ()))
        settings = environment.load(needs=needs)
        service.refuse_outside_development(settings.env)
        async with opened():  # which refuses a database that is behind, and roles too strong
            if remove:
                await _remove(settings, json=json)
            else:
                await _seed(settings, Size(tenants, users, clients), json=json)

    run(work, json=json)


async def _seed(settings: Settings, size: Size, *, json: bool) -> None:
    began = time.monotonic()
    with _progress("Making tenants", size.tenants, json=json) as tell:
        done = await service.seed(
            settings.database_platform_url_text(),
            envelope=Envelope(settings.secrets_key_bytes(), settings.previous_keys_bytes()),
            hmac_key=settings.hmac_key_bytes(),
            rotation=KeyRotation(),
            size=size,
            tell=tell,
        )
    seconds = round(time.monotonic() - began, 1)
    slug, client_id = slug_of(0), client_id_of(1)
    secret = secret_of(settings.hmac_key_bytes(), slug, client_id) if size.clients else None
    text = f"{done.made:,} tenants made in {seconds} s, {done.present:,} were there."
    if secret:
        text += f" The first is {slug}; its {client_id} has the secret {secret}."
    show(
        {
            "made": done.made,
            "present": done.present,
            "seconds": seconds,
            "first": {"tenant": slug, "client_id": client_id, "client_secret": secret},
        },
        json=json,
        text=text,
    )


async def _remove(settings: Settings, *, json: bool) -> None:
    with _progress("Taking tenants away", None, json=json) as tell:
        gone = await service.remove(
            settings.database_platform_url_text(), settings.database_owner_url_text(), tell
        )
    show({"removed": gone}, json=json, text=f"{gone:,} seeded tenants are gone.")


@contextmanager
def _progress(words: str, total: int | None, *, json: bool) -> Iterator[Callable[[int], None]]:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, disable=json, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
