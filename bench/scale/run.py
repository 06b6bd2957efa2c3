"""Growing one installation from size to size, and measuring at each."""

import os
import time
from collections.abc import AsyncIterator
from itertools import islice

import psycopg
from rich.console import Console

from bench.installation import PASSWORD, Installation, prepared
from bench.processes import OTHER_CORE, SERVER_CORE
from bench.scale import copies, over_http, servers, within
from bench.scale.figures import SIZES, Series, by_name, catalogue
from insula.accounts import service as accounts
from insula.clients import service as clients
from insula.platform.context import Context, opened
from insula.platform.dev.seed import PLATFORM_SCOPES
from insula.platform.seeding import service as seeding
from insula.platform.seeding.models import Size
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants

_ROUNDS = 2
#: So many are made by `insula seed`; those beyond hold as many rows, by statement, in minutes.
WHOLE = 10_000
_OPERATOR = "operator"
#: A program for each round of each size: one alone would reach the limit of calls in a minute.
_PROGRAMS = tuple(f"api-{number}" for number in range(_ROUNDS * len(SIZES)))

out = Console(soft_wrap=True, highlight=False)


async def measure_all(sizes: tuple[int, ...]) -> AsyncIterator[list[Series]]:
    """Every figure at the sizes so far, each time another size is done."""
    found = catalogue()
    async with prepared() as here, opened() as context:
        await _people(context, here)
        programs = iter(_PROGRAMS)
        for size in sizes:
            await _grow(context, here, size)
            measured = await _at(here, size, list(islice(programs, _ROUNDS)))
            by_name(found, measured, size)
            for series in found:
                out.print(f"  {series.name:48}{series.values[size]:12,.3f} {series.unit}")
            yield found


async def _people(context: Context, here: Installation) -> None:
    """Somebody who runs the platform, and programs that do."""
    await tenants.ensure_special(context.platform, context.envelope, context.rotation)
    home = await context.tenant(PLATFORMS)
    hashed = await context.passwords.hash(home.id, PASSWORD)
    async with home.transaction() as db:
        await accounts.create(
            db, username=_OPERATOR, password_hash=hashed, roles=("user", "platform_admin")
        )
    wanted = {
        "grant_types": ("client_credentials",),
        "scopes": PLATFORM_SCOPES,
        "allow_dangerous_api": True,
    }
    metadata = clients.parse_metadata(wanted, development=True)
    for program in _PROGRAMS:
        made = await clients.register(home, program, metadata, client_id=program)
        here.secrets[program] = made.secret or ""


async def _grow(context: Context, here: Installation, size: int) -> None:
    began = time.perf_counter()
    os.sched_setaffinity(0, {SERVER_CORE, OTHER_CORE})  # no server runs yet
    done = await seeding.seed(
        here.urls.platform,
        envelope=context.envelope,
        hmac_key=context.settings.hmac_key_bytes(),
        rotation=context.rotation,
        size=Size(min(size, WHOLE)),
    )
    if size > WHOLE:
        copies.grow(here, WHOLE, size)
    os.sched_setaffinity(0, {OTHER_CORE})
    with psycopg.connect(here.superuser_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")  # as autovacuum does within minutes
        connection.execute("checkpoint")
    out.print(
        f"{size:,} tenants: {done.made:,} seeded, all there in {time.perf_counter() - began:,.0f} s"
    )


async def _at(here: Installation, size: int, programs: list[str]) -> dict[str, float]:
    """All figures at one size: of each, the best of so many rounds."""
    rounds: list[dict[str, float]] = []
    whole = min(size, WHOLE)
    heard = await servers.effect(here, whole)
    for program in programs:
        async with servers.started(here) as (server, begun):
            filled = await servers.memory(here, server, whole)
            who = await over_http.caller(here, _OPERATOR, program)
            asked = await over_http.measure(who, size)
            who.line.close()
        rounds.append(
            {
                **begun,
                **filled,
                **asked,
                **await within.measure(here, size, whole),
            }
        )
    return heard | {name: min(each[name] for each in rounds) for name in rounds[0]}
