"""
A POST that is sent again is answered again, and not done again (features.md CR-4).

The answer is kept for a day, sealed under the key that the caller chose and a secret of the
installation, since it may hold a secret that is shown once. A refusal changed nothing, so it is
not kept: the same key may be used for the corrected request.

What the caller held is kept with it. An act may judge more than the rule of its route says, and an
answer must not reach somebody whom the act would refuse by now.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from insula.kernel.crypto import DoesNotOpen, open_under, seal_under
from insula.kernel.ids import Kind, digest
from insula.management_api import store
from insula.management_api.problems import Refusal, WrongField
from insula.tenancy.db import Tenant

_LIFE: Final = timedelta(hours=24)
_KEY: Final = re.compile(r"[!-~]{1,255}\Z")
_HEADER: Final = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time, to whom held *scopes* and *roles*, by *step_up* or not."""

    status: int
    headers: Mapping[str, str]
    body: str
    scopes: frozenset[str]
    roles: frozenset[str]
    step_up: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds, and what its answer is sealed with."""

    id: UUID
    secret: str
    purpose: str


class Idempotency:
    """Keys of clients, with a *secret* of the installation."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def begin(self, tenant: Tenant, caller: str, key: str, request: bytes) -> Claim | Answer:
        """
        Take *key* for a request of *caller*, or find what it was answered with.

        Raises `Refusal`: for a key that is none, that went with another request, or whose first
        request has not been answered.
        """
        if not _KEY.match(key):
            raise Refusal(400, "bad_request", "Idempotency-Key is 1 to 255 characters of ASCII.")
        key_hash = digest(Kind.IDEMPOTENCY_KEY, tenant.id, f"{caller}\0{key}")
        claim = f"{self._secret}\0{caller}\0{key}", f"idempotent answer\0{tenant.id}"
        request_hash = hashlib.sha256(request).digest()
        async with tenant.transaction() as db:
            mine = await store.claim(db, key_hash, request_hash, _LIFE)
            found = None if mine else await store.find(db, key_hash)
        if mine is not None:
            return Claim(mine, *claim)
        if found is None or (found.answer is None and bytes(found.request_hash) == request_hash):
            raise Refusal(
                409,
                "duplicate",
                "A request with this Idempotency-Key has not been answered yet. If it never is, "
                "look at what came of it and choose another key.",
                headers=[("Retry-After", "1")],
            )
        if bytes(found.request_hash) != request_hash:
            raise Refusal(
                422,
                "validation_failed",
                "This Idempotency-Key went with another request.",
                errors=[WrongField(field=_HEADER, code="used_for_another_request")],
            )
        return _opened(bytes(found.answer), *claim)

    async def end(self, tenant: Tenant, claim: Claim, answer: Answer) -> None:
        """Keep what was answered."""
        said: dict[str, Any] = {
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": answer.body,
            "scopes": sorted(answer.scopes),
            "roles": sorted(answer.roles),
            "step_up": answer.step_up,
        }
        sealed = seal_under(claim.secret, json.dumps(said).encode(), claim.purpose)
        async with tenant.transaction() as db:
            await store.keep(db, claim.id, sealed)

    async def release(self, tenant: Tenant, claim: Claim) -> None:
        """Give the key back: the request was refused."""
        async with tenant.transaction() as db:
            await store.release(db, claim.id)


def _opened(sealed: bytes, secret: str, purpose: str) -> Answer:
    try:
        said = json.loads(open_under(secret, sealed, purpose))
        return Answer(
            said["status"],
            said["headers"],
            said["body"],
            frozenset(said["scopes"]),
            frozenset(said["roles"]),
            said["step_up"],
        )
    except (DoesNotOpen, KeyError) as error:  # a key: an older release kept less
        raise Refusal(
            409,
            "duplicate",
            "The answer of the first request with this Idempotency-Key can no longer be read.",
        ) from error
