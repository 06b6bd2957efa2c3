"""`state` and `nonce`: the client's own values, given back bit for bit or refused, never cut."""

import re
from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidRequest
from insula.oidc.models import Features

PARAMETERS = frozenset({"state", "nonce"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


MAX_BYTES = 2048

# A form_post would not return line ends as they came; RFC6749-A.5 has none.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_state(params: Mapping[str, str]) -> str | None:
    """Return the state to give back; one that is too long is not even given back in the error."""
    state = params.get("state")
    return state if state is None or _is_kept_exactly(state) else None


def check_state_and_nonce(params: Mapping[str, str]) -> None:
    for name in ("state", "nonce"):
        value = params.get(name)
        if value is not None and not _is_kept_exactly(value):
            raise InvalidRequest("state and nonce may have 2 KB without control characters")


def _is_kept_exactly(value: str) -> bool:
    return len(value.encode()) <= MAX_BYTES and not _CONTROL.search(value)
