"""The command `insula`."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from insula import __version__
from insula.kernel import logs
from insula.platform import environment, migrations
from insula.platform.cli import (
    administrators,
    check,
    clients,
    files,
    jobs,
    keys,
    owned,
    platform_settings,
    registration_tokens,
    resources,
    seed,
    settings,
    tenants,
    users,
)
from insula.platform.cli.output import AWAY, Json, err, fail, run, show, show_rows
from insula.platform.context import following, opened

app = typer.Typer(
    name="insula",
    help="A multi-tenant OpenID Connect identity provider.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(tenants.app, name="tenant")
app.add_typer(users.app, name="user")
app.add_typer(administrators.app, name="admin")
app.add_typer(clients.app, name="client")
app.add_typer(registration_tokens.app, name="registration-tokens")
app.add_typer(resources.server_app, name="resource-server")
app.add_typer(resources.scope_app, name="scope")
app.add_typer(resources.claim_app, name="claim")
app.add_typer(settings.app, name="settings")
app.add_typer(platform_settings.app, name="platform")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.add_typer(check.app, name="check")
clients.app.command("release")(owned.releasing("clients"))
resources.server_app.command("release")(owned.releasing("apis"))
resources.scope_app.command("release")(owned.releasing("scopes"))
resources.claim_app.command("release")(owned.releasing("claims"))
app.command("plan")(files.plan)
app.command("apply")(files.apply_files)
app.command("drift")(files.drift)
app.command("seed")(seed.seed)


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(f"insula {__version__}\n")


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Where the provider answers.")] = 8000,
    demo_port: Annotated[int, typer.Option(help="Where the demo application answers.")] = 8001,
) -> None:
    """Run everything on this machine: database, events, provider, worker, demo application."""
    from insula.platform import dev as development  # noqa: PLC0415  (needs the extra `embedded`)

    raise typer.Exit(development.run(port=port, demo_port=demo_port))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Instead of INSULA_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of INSULA_PORT.")] = None,
) -> None:
    """Serve tenants, in as many processes as INSULA_WORKERS says."""
    from insula.platform.server import serve as start  # noqa: PLC0415  (uvicorn is for this alone)

    try:
        settings = environment.load()
    except environment.BadConfiguration as mistakes:
        fail(str(mistakes), status=2)
    start(settings, host=host, port=port)


async def _until_terminated(work: Coroutine[Any, Any, None]) -> bool:
    """
    Do *work* until SIGTERM cancels it; False if it ends by itself.

    The first process of a container has no default for this signal: without a handler it would
    be ignored, and the container killed after its whole grace.
    """
    task = asyncio.create_task(work)
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        await task
    except asyncio.CancelledError:
        if not terminated:  # Ctrl-C
            raise
    return terminated


@app.command()
def worker(
    once: Annotated[bool, typer.Option(help="End when the queue is empty.")] = False,  # noqa: FBT002  (how typer has flags)
) -> None:
    """Run queued jobs: key phases, logout notices, sweeps, partitions."""

    async def work() -> None:
        # a command loads what it needs
        from insula.platform.ops_port import answering, gateway_of_worker  # noqa: PLC0415
        from insula.platform.tasks import Tasks  # noqa: PLC0415

        async with opened() as here:
            logs.configure(json=here.settings.env != "development", level=here.settings.log_level)
            tasks = Tasks(
                here.platform, here.directory, here.envelope, here.door, here.prover,
                here.database, here.front(), here.settings.admin_audit_retention_days,
            )  # fmt: skip
            queue = tasks.queue(here.settings.database_platform_url_text())
            if once:
                await queue.work_off()
                return
            gateway = gateway_of_worker(here, queue)
            settings = here.settings
            async with following(here), answering(gateway, settings.host, settings.worker_port):
                terminated = await _until_terminated(queue.work())
            if not terminated:
                fail("the worker ended, which nobody had asked for", status=AWAY)

    run(work)


@app.command()
def migrate(*, json: Json = False) -> None:
    """Bring the database to this release, as its owner; safe to repeat."""
    try:
        settings = environment.load(needs=environment.MIGRATE)
    except environment.BadConfiguration as mistakes:
        fail(str(mistakes), json=json, code="configuration", status=2)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=err, disable=json, transient=True,
    ) as progress:  # fmt: skip
        progress.add_task("Migrating", total=None)
        try:
            before, after = migrations.migrate(settings.database_owner_url_text())
        except migrations.MigrationFailed as away:
            fail(f"{away.description}: {away.detail}", json=json, code="away", status=AWAY)
        except migrations.SchemaIsNewer as newer:
            # not a failure: who goes back to the former release runs the same steps
            shown = {"before": newer.found, "after": newer.found, "newer": True}
            show(shown, json=json, text=newer.description)
            return
    show(
        {"before": before, "after": after},
        json=json,
        text=f"The schema is at {after}"
        + (" already." if before == after else f" (was {before})."),
    )


@app.command()
def config(*, json: Json = False) -> None:
    """Print the effective configuration, secrets masked."""
    try:
        settings = environment.load()
    except environment.BadConfiguration as mistakes:
        fail(str(mistakes), json=json, code="configuration", status=2)
    rows = [
        {"variable": name, "value": value, "source": source}
        for name, value, source in environment.effective(settings)
    ]
    show_rows(rows, ("variable", "value", "source"), json=json)
    if not json:
        for warning in environment.warnings(settings):
            err.print(Text.assemble(("warning:", "yellow"), f" {warning}"))


def main() -> None:
    """The entry point of the script `insula`."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(130)
