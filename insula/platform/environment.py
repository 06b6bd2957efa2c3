"""
Configuration from INSULA_* variables and an optional `.env`, judged as a whole at the start.

`load` tells every mistake at once; whoever mends a deployment should not meet them one by one.
"""

import difflib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import DotEnvSettingsSource

from insula.kernel.settings import MASK
from insula.platform import start_rules
from insula.platform.start_rules import warnings
from insula.platform.variable_kinds import Mistake, shown
from insula.platform.variables import PREFIX, Settings, Source, example, secrecy, variable

__all__ = [
    "MASK",
    "MIGRATE",
    "SERVE",
    "BadConfiguration",
    "Mistake",
    "Settings",
    "effective",
    "load",
    "warnings",
]

#: What a command cannot do without.
SERVE: Final = ("base_domain", "database_url", "database_platform_url", "secrets_key", "hmac_key")
MIGRATE: Final = ("database_owner_url",)

#: Read by the demo application, and no business of the server's.
_ELSEWHERE: Final = frozenset({"INSULA_DEV_JSON"})
_FILE: Final = "_FILE"


class BadConfiguration(Exception):
    """The configuration cannot be used: one line for each mistake, and never a secret in it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(slots=True)
class _Reading:
    """What has been read so far: texts by field, where each came from, and what was wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def refuse(self, name: str, wrong: str, right: str, *, unread: str | None = None) -> None:
        self.mistakes.append(Mistake(name, wrong, right))
        if unread is not None:
            self.unread.add(unread)


def load(
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    *,
    needs: Collection[str] = SERVE,
) -> Settings:
    """
    Read and judge the configuration; what stands in *environ* wins over *env_file*.

    *needs* are the fields that the command cannot do without. An empty variable counts as one
    that is not set. Raises `BadConfiguration` with all mistakes.
    """
    reading = _Reading()
    _read(reading, _of_file(reading, env_file), ".env")
    _read(reading, os.environ if environ is None else environ, "environment")
    settings = _settings(reading)
    for name in Settings.model_fields:
        if name in needs and name not in reading.unread and getattr(settings, name) is None:
            reading.refuse(variable(name), "is not set", example(name))
    reading.mistakes.extend(start_rules.mistakes(settings, reading.unread))
    if reading.mistakes:
        raise BadConfiguration(reading.mistakes)
    return settings.came_from(reading.sources)


def effective(settings: Settings) -> list[tuple[str, str, Source]]:
    """Every variable with the value in force, secrets masked, and where it came from."""
    return [
        (variable(name), shown(getattr(settings, name), secrecy(name)), settings.source(name))
        for name in Settings.model_fields
    ]


def _of_file(reading: _Reading, env_file: Path | None) -> Mapping[str, str | None]:
    if env_file is None:
        return {}
    try:
        return DotEnvSettingsSource(Settings, env_file=env_file, case_sensitive=True).env_vars
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        reading.refuse(str(env_file), f"cannot be read: {reason}", example("env"))
        return {}


def _read(reading: _Reading, given: Mapping[str, str | None], source: Source) -> None:
    """Take over what *given* sets, and refuse names that nobody would read."""
    fields = {variable(name): name for name in Settings.model_fields}
    files = {name + _FILE: fields[name] for name in fields if secrecy(fields[name]) is not None}
    present = {name: text for name, text in given.items() if name.startswith(PREFIX) and text}
    for name, text in sorted(present.items()):
        if name in fields:
            reading.texts[fields[name]] = text
            reading.sources[fields[name]] = source
            reading.unread.discard(fields[name])
        elif name in files:
            if name.removesuffix(_FILE) in present:
                right = f"{name}=/run/secrets/{files[name]}"
                reading.refuse(name, f"is set beside {name.removesuffix(_FILE)}", right)
            _read_secret(reading, name, files[name], Path(text))
        elif name not in _ELSEWHERE:
            near = difflib.get_close_matches(name, [*fields, *files], n=1, cutoff=0)[0]
            right = example(fields.get(near) or files[near])
            reading.refuse(name, f"is no variable of this release; the nearest is {near}", right)


def _read_secret(reading: _Reading, name: str, field_name: str, path: Path) -> None:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        right = f"{name}=/run/secrets/{field_name}"
        reading.refuse(name, f"{path} cannot be read: {reason}", right, unread=field_name)
        return
    reading.texts[field_name] = text
    reading.sources[field_name] = "file"
    reading.unread.discard(field_name)


def _settings(reading: _Reading) -> Settings:
    """Make settings of what could be read, so that the rules can judge the rest too."""
    try:
        return Settings.model_validate(reading.texts)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0])
            if name in reading.texts:  # else a default that hangs on a value refused above
                wrong = _sentence(problem, "it" if secrecy(name) else f"'{reading.texts[name]}'")
                reading.refuse(variable(name), wrong, example(name), unread=name)
    return Settings.model_validate(
        {name: text for name, text in reading.texts.items() if name not in reading.unread}
    )


#: By pydantic's type of error: the end of a sentence about the value.
_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "literal_error": lambda c: f"is none of {c['expected']}".replace(" or ", ", ").replace("'", ""),
    "bool_parsing": lambda _: "is neither true nor false",
    "int_parsing": lambda _: "is no whole number",
    "float_parsing": lambda _: "is no number",
    "greater_than_equal": lambda c: f"is below {c['ge']:g}",
    "less_than_equal": lambda c: f"is above {c['le']:g}",
    "string_pattern_mismatch": lambda _: "is no mail address",
}


def _sentence(problem: ErrorDetails, value: str) -> str:
    """Say what pydantic found; *value* is what may be shown of it."""
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":  # worded in variable_kinds
        return str(context["error"])
    say = _SENTENCES.get(problem["type"])
    return f"{value} {say(context)}" if say else f"is refused: {problem['msg']}"
