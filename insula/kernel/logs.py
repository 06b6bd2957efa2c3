"""Logs: JSON lines in production, readable lines in development; never a secret or a token."""

import logging
import re
import sys
from collections.abc import MutableMapping
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


def redact(text: str) -> str:
    """Take everything out of *text* that looks like a secret of ours."""
    return _SECRETS.sub("[redacted]", text)


def _redact_event(
    _logger: Any,
    _method: str,
    event: MutableMapping[str, Any],  # noqa: ANN401  (structlog's own)
) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            hidden = name not in {"event", "exception", "level", "timestamp"} and _NAMES.search(
                name
            )
            event[name] = "[redacted]" if hidden and value else redact(value)
    return event


def configure(*, json: bool, level: str = "INFO") -> None:
    """Set up logging of this process, the standard library's included."""
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
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
