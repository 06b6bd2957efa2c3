"""What a body may be: JSON of bounded size and depth, without anything two readers read apart."""

import json
import math
from typing import Any, Final

from insula.management_api.problems import Refusal

LARGEST: Final = 1024 * 1024
_DEEPEST: Final = 32
_WITHOUT: Final = frozenset({"GET", "HEAD", "DELETE"})


def takes_body(method: str) -> bool:
    return method not in _WITHOUT


def read(body: bytes, media_type: str) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """
    The value of a body. Raises `Refusal`.

    Refused beside what is not JSON: names that stand twice in one object, numbers that are none,
    and characters that no text has (U+0000, half of a pair).
    """
    if len(body) > LARGEST:
        raise Refusal(413, "too_large", "The body is larger than 1 MB.")
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "media_type", "The body must be application/json.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse)
        _check(value, _DEEPEST)
    except RecursionError:
        raise Refusal(400, "bad_request", f"The body is deeper than {_DEEPEST} levels.") from None
    except ValueError:  # what json and unicode raise is one, and says what was sent
        raise Refusal(400, "bad_request", "The body is not well-formed JSON.") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(_constant: str) -> float:
    raise ValueError("not a number of JSON")


def _check(value: object, levels: int) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("U+0000")
        value.encode("utf-8")  # half a pair does not encode
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("too large a number")
    elif isinstance(value, dict | list):
        if levels == 0:
            raise RecursionError
        for each in value:
            _check(each, levels - 1)
        for each in value.values() if isinstance(value, dict) else ():
            _check(each, levels - 1)
