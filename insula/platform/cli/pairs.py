"""`name=value` arguments, the same for every command that takes them."""

import json
from collections.abc import Iterable
from typing import Any

from insula.kernel.errors import Invalid


def read_pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """
    Values by name: JSON where it is JSON, else text.

    Raises `Invalid` for what is no pair.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark or not name:
            raise Invalid("write name=value", field=pair, example="name=value")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values
