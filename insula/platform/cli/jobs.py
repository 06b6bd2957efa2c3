"""insula jobs: what waits, what was given up, and trying it again."""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Event
from insula.jobs import board
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.context import opened
from insula.tenancy.models import PLATFORMS

app = typer.Typer(help="Look at background work, and try it again.", no_args_is_help=True)

_COLUMNS: Final = ("id", "task", "slug", "status", "attempts", "queued_at", "error")
JobId = Annotated[int, typer.Argument(help="The job's number, as `list` shows it.")]


@app.command("list")
def list_jobs(
    status: Annotated[str | None, typer.Option(help="todo, doing or failed.")] = None,
    before: Annotated[int | None, typer.Option(help="Continue below this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    *,
    json: Json = False,
) -> None:
    """Jobs, newest first."""

    async def work() -> None:
        async with opened() as here, here.platform.transaction() as db:
            found = await board.page(db, status=status, before=before, limit=limit)
        show_rows((asdict(each) for each in found), _COLUMNS, json=json, empty="No such jobs.")

    run(work, json=json)


@app.command()
def retry(job: JobId, *, json: Json = False) -> None:
    """Queue a job again that was given up."""
    _act(job, "retried", json=json)


@app.command()
def discard(job: JobId, *, json: Json = False) -> None:
    """Forget a job that was given up."""
    _act(job, "discarded", json=json)


def _act(job: int, done: str, *, json: bool) -> None:
    async def work() -> None:
        async with opened() as here:
            home = await here.tenant(PLATFORMS)
            async with here.platform.within(home.id) as db:
                found = await (board.retry if done == "retried" else board.discard)(db, job)
                details = {"act": done, "task": found.task, "tenant": found.slug}
                await audit.record(
                    db, Event("maintenance.run", SYSTEM, target_type="job", target_id=str(job),
                              metadata=details),
                )  # fmt: skip
        show(asdict(found), json=json, text=f"Job {job} ({found.task}) is {done}.")

    run(work, json=json)
