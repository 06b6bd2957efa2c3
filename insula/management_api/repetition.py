"""A POST with an `Idempotency-Key`: done once, and answered again to who may still have that."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Response

from insula.management_api.caller import Caller
from insula.management_api.idempotency import Answer, Claim
from insula.management_api.problems import Refusal
from insula.management_api.rules import PREFIX
from insula.management_api.step_up import check_step_up

#: Headers of an answer that is given again.
_KEPT: Final = ("etag", "location")


async def once(
    caller: Caller, key: str, asked: bytes, act: Callable[[], Coroutine[Any, Any, Response]]
) -> Response:
    """Do what is *asked*, or give its answer again. Raises `Refusal`, `StepUpNeeded`."""
    ledger = caller.parts.idempotency
    claim = await ledger.begin(caller.tenant, caller.name, key, asked)
    if isinstance(claim, Answer):
        await _check_again(caller, claim)
        again = Response(claim.body, claim.status, dict(claim.headers))
        again.headers["idempotency-replayed"] = "true"
        return again
    try:
        response = await act()
    except asyncio.CancelledError:
        raise  # what came of it is not known: the key stays taken
    except BaseException:
        await ledger.release(caller.tenant, claim)
        raise
    await _keep(caller, claim, response)
    return response


async def _check_again(caller: Caller, first: Answer) -> None:
    """
    Let an answer be given again to a caller who may do no less than then.

    What the act itself would judge is not known here. Raises `Refusal`, `StepUpNeeded`.
    """
    if not (first.scopes <= _powers(caller) and first.roles <= caller.roles):
        raise Refusal(
            403,
            "forbidden",
            "The first request with this Idempotency-Key was made with scopes or roles that are "
            "missing now.",
        )
    if first.step_up:
        await check_step_up(caller)


def _powers(caller: Caller) -> frozenset[str]:
    return frozenset(scope for scope in caller.scopes if scope.startswith(PREFIX))


async def _keep(caller: Caller, claim: Claim, response: Response) -> None:
    headers = {"content-type": response.headers.get("content-type", "application/json")}
    headers |= {name: response.headers[name] for name in _KEPT if name in response.headers}
    said = Answer(
        response.status_code,
        headers,
        bytes(response.body).decode(),
        _powers(caller),
        caller.roles,
        step_up="step_up" in caller.proven,
    )
    await caller.parts.idempotency.end(caller.tenant, claim, said)
