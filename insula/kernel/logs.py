"""Logs: JSON lines in production, readable lines in development; never a secret or a token."""

import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

#: What leaks look like: our own prefixes, JWTs, credentials in URLs, and the names of secrets.
_SECRETS = re.compile(
    r"ins_[a-z]{2,3}_[A-Za-z0-9_-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*"
    r"|(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"
)
_NAMES = re.compile(
    r"password|secret|token|authorization|cookie|code_verifier|private", re.IGNORECASE
)

#: Set by the processors below, never by a caller; a stack trace names the code that it shows.
_OURS = frozenset({"event", "exception", "level", "timestamp"})


#: Whether only warnings and what is worse are said.
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What is done inside says what goes wrong and nothing else: nobody asked for it."""
    mark = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(mark)


def _hush(
    _logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if method in ("debug", "info") and _quiet.get():
        raise structlog.DropEvent
    return event


def redact(text: str) -> str:
    """Take everything out of *text* that looks like a secret of ours."""
    return _SECRETS.sub("[redacted]", text)


def _redacted(name: str, value: object) -> object:
    """A value as it may be logged under *name*, however deep it lies."""
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), inner) for key, inner in value.items()}
    if value and _NAMES.search(name) and not isinstance(value, bool | int | float):
        return "[redacted]"
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, inner) for inner in value]
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "backslashreplace"))
    return redact(value) if isinstance(value, str) else value


def _redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name, value in event.items():
        event[name] = redact(value) if name in _OURS else _redacted(name, value)
    return event


class _Stderr:
    """
    Writes to what is the standard error when a line is written.

    The standard output belongs to what a command answers.
    """

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


class _Handler(logging.Handler):
    """Writes what libraries say to the same place; what cannot be written harms nobody."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _Stderr().msg(self.format(record))
        except Exception:  # noqa: BLE001  (as every handler of the standard library)
            self.handleError(record)


def configure(*, json: bool, level: str = "INFO", is_command: bool = False) -> None:
    """
    Set up logging of this process from *level* on, the standard library's included.

    A command (*is_command*) says itself what went wrong, and not how often a library tried.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, _redact_event, structlog.processors.JSONRenderer()]
        if json
        else [
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_hush, *shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Stderr(),
        cache_logger_on_first_use=not is_command,
    )
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.ERROR if is_command else logging.WARNING))
    logging.getLogger("psycopg").setLevel(logging.NOTSET)  # it gives itself one at its import
