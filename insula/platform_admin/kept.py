"""
What was typed into a form that came too late, until the form is shown again.

The session had ended, or the proof of who it is had lapsed: nothing is done then. The fields that
a form names go along in a sealed cookie through the sign-in and fill in the form once. Secrets are
never among them, nor is what confirms an act: it is typed again, in sight of what it does.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from insula.kernel.clock import now
from insula.kernel.crypto import DoesNotOpen, open_under, seal_under

SECONDS: Final = 600
_LONGEST: Final = 3600  # with its name and attributes, what every browser keeps


def seal(
    secret: str, page: str, whose: str, form: Mapping[str, list[str]], names: Iterable[str]
) -> str:
    """
    The fields in *names* for the page at *page*; empty where that is nothing, or too much.

    *whose* is an id, or empty for whoever signs in next in this browser.
    """
    typed = {name: form[name] for name in names if name in form}
    if not any(map(any, typed.values())):
        return ""
    said = {"whose": whose, "until": int(now()) + SECONDS, "typed": typed}
    plain = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    text = urlsafe_b64encode(seal_under(secret, plain, _of(page))).decode().rstrip("=")
    return text if len(text) <= _LONGEST else ""


def unseal(secret: str, page: str, whose: str, text: str) -> dict[str, list[str]] | None:
    """What was typed there; None for what is of another page, empty for what is not theirs."""
    try:
        sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        said = json.loads(open_under(secret, sealed, _of(page)))
    except (DoesNotOpen, binascii.Error, UnicodeError):
        return None
    is_theirs = said["until"] > now() and said["whose"] in ("", whose)
    found: dict[str, list[str]] = said["typed"] if is_theirs else {}
    return found


def _of(page: str) -> str:
    return f"typed form\0{page}"


def filled(variables: Mapping[str, Any], kept: Mapping[str, list[str]]) -> dict[str, Any]:
    """The variables of a page, and in those that are empty what had been typed."""
    typed = {name: found[0] for name, found in kept.items() if len(found) == 1}
    again: dict[str, Any] = {n: text for n, text in typed.items() if variables.get(n) == ""}
    values = variables.get("values")
    if isinstance(values, dict):
        again["values"] = {**values, **{n: text for n, text in typed.items() if n in values}}
    return {**variables, **again}
