"""How commands speak: tables for people, JSON for programs, one line for a refusal."""

import asyncio
import json as jsonlib
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn, TextIO
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from insula.data_keys.errors import REMEDY, SealedByAnother
from insula.kernel.crypto import DoesNotOpen
from insula.kernel.errors import InsulaError, Invalid, Unavailable
from insula.platform.environment import BadConfiguration

REFUSED, AWAY = 1, 3

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

#: What is read by a program or a file is not folded to some width of a terminal.
_UNFOLDED = 10_000


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    width = None if stream.isatty() else _UNFOLDED
    return Console(stderr=stderr, soft_wrap=True, width=width)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a row holds)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__}")


def show(value: Any, *, json: bool, text: str = "") -> None:  # noqa: ANN401  (values of any kind)
    """One result: *value* for programs, *text* for people."""
    if json:
        sys.stdout.write(jsonlib.dumps(value, default=_plain) + "\n")
    else:
        out.print(Text(text))


def show_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, json: bool, empty: str = "None."
) -> None:
    """A list: as JSON, or as a table of *columns*."""
    found = list(rows)
    if json:
        sys.stdout.write(jsonlib.dumps(found, default=_plain) + "\n")
        return
    if not found:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in found:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    out.print(table)


def _cell(value: Any) -> Text:  # noqa: ANN401  (values of any kind)
    """What people have named is no markup."""
    if value is None:
        return Text("-")
    if isinstance(value, datetime):
        return Text(value.strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, (list, tuple)):
        return Text(", ".join(map(str, value)))
    return Text(str(value))


def fail(text: str, *, json: bool = False, code: str = "failed", status: int = REFUSED) -> NoReturn:
    """End with one line and an exit code."""
    if json:
        sys.stdout.write(jsonlib.dumps({"error": code, "detail": text}) + "\n")
    else:
        err.print(Text.assemble(("insula:", "red"), f" {text}"))
    raise typer.Exit(status)


def run(
    work: Callable[[], Coroutine[Any, Any, None]], *, json: bool = False, refused: int = REFUSED
) -> None:
    """Run a command; every refusal becomes one line, and the exit code *refused*."""
    try:
        asyncio.run(work())
    except BadConfiguration as mistakes:
        fail(str(mistakes), json=json, code="configuration", status=2)
    except Unavailable as away:
        fail(f"{away.description}; try again. ({away.detail})", json=json, code="away", status=AWAY)
    except Invalid as refusal:
        field = f"{refusal.field}: " if refusal.field else ""
        example = f" For example: {refusal.example}" if refusal.example else ""
        fail(f"{field}{refusal.description}{example}", json=json, code=refusal.code, status=refused)
    except DoesNotOpen as error:  # of one tenant: `opened` has asked about the installation
        fail(
            f"What is sealed does not open ({error}). If it is the tenant's keys: {REMEDY}",
            json=json, code=SealedByAnother.code, status=refused,
        )  # fmt: skip
    except InsulaError as refusal:
        fail(refusal.description, json=json, code=refusal.code, status=refused)
