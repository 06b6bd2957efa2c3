"""
`prompt` and `max_age`: when a person must act although nobody would have to (OIDCC-3.1.2.1).

A proof counts for a request only if it was given inside that request's interaction: a
session that merely is recent does not satisfy `prompt=login`.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from insula.oidc.errors import InvalidRequest
from insula.oidc.models import Client, Features, Session

PARAMETERS = frozenset({"prompt", "max_age"})


def metadata(_features: Features) -> dict[str, Any]:
    return {"prompt_values_supported": ["none", "login", "consent", "select_account"]}


#: A proof given inside an interaction that is older than one of its steps is asked for again.
FRESH_FOR = 600

_KNOWN = frozenset({"none", "login", "consent", "select_account"})
_SECONDS = re.compile(r"[0-9]{1,10}\Z")


def is_silent(params: Mapping[str, str]) -> bool:
    """Whether the client wants no page at all, so that errors go to it too (AZ-11)."""
    return "none" in params.get("prompt", "").split()


def read_prompts(params: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(params.get("prompt", "").split())
    if not prompts <= _KNOWN:
        raise InvalidRequest("prompt holds a value that is not supported")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt cannot be none and something else")
    return prompts


def read_max_age(params: Mapping[str, str], client: Client) -> int | None:
    """Read how old a sign-in may be, in seconds; the client's registered limit if unsaid."""
    asked = params.get("max_age")
    if asked is None:
        return client.default_max_age
    if not _SECONDS.match(asked):
        raise InvalidRequest("max_age must be a number of seconds")
    return int(asked)


def sign_in_needed(
    session: Session | None,
    *,
    prompts: frozenset[str],
    max_age: int | None,
    proved: UUID | None,
    now: float,
) -> Literal["no", "yes", "again"]:
    """Decide whether somebody must sign in, or prove themselves again though signed in."""
    if session is None:
        return "yes"
    age = now - session.auth_time
    # max_age=0 equals prompt=login: OIDCC-3.1.2.1 as amended by the certification suite
    demands_proof = "login" in prompts or (max_age is not None and (max_age == 0 or age > max_age))
    is_proved = proved == session.id and age <= FRESH_FOR
    return "again" if demands_proof and not is_proved else "no"
