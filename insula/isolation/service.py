"""Probing, keeping and signing what came of it, and telling how it stands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from insula import __version__
from insula.audit import service as audit
from insula.audit.models import SYSTEM, Event
from insula.isolation import store
from insula.isolation.models import STALE_SECONDS, Found, Run
from insula.isolation.probe import Probe
from insula.kernel.clock import now
from insula.kernel.db import uncounted
from insula.kernel.errors import Unavailable
from insula.kernel.metrics import ISOLATION_FAILURES, ISOLATION_PASSED_AT
from insula.keys import service as keys
from insula.tenancy.db import Platform, Tenant

_log = structlog.get_logger(__name__)

REPORT_TYPE: Final = "insula-isolation+jwt"
DEGRADED: Final = "degraded"
_MOST_NAMED = 20
_BATCH = 1000
#: Seconds that a probe of the process waits for the standing; it is not the reason of anything.
_PATIENCE = 1.0


async def run(probe: Probe, home: Tenant) -> Found:
    """Probe once and keep what came of it, signed by *home*, `_platforms`. Raises `Unavailable`."""
    found = await probe.run()
    run_id = uuid4()
    ring = (await keys.load(home, probe.envelope)).ring
    key = ring.signing.get("ES256") or next(iter(ring.signing.values()))
    report = await key.issue(REPORT_TYPE, _claims(home, run_id, found))
    async with probe.platform.within(home.id) as db:
        await store.insert(db, run_id, __version__, found, report)
        await store.forget(db, _BATCH)
        if found.failures:
            named = [str(cell) for cell in found.failures[:_MOST_NAMED]]
            details = {"cells": found.cells, "failed": len(found.failures), "first": named}
            await audit.record(
                db, Event("isolation.probe_failed", SYSTEM, "failed", target_type="isolation_run",
                          target_id=str(run_id), metadata=details),
            )  # fmt: skip
    if found.failures:
        _log.error("isolation.probe_failed", failed=len(found.failures), first=named)
    return found


def _claims(home: Tenant, run_id: UUID, found: Found) -> Mapping[str, Any]:
    return {
        "iss": home.issuer,
        "iat": int(now()),
        "jti": str(run_id),
        "release": __version__,
        "result": found.result,
        "cells": found.cells,
        "tables": list(found.tables),
        "brought": list(found.brought),
        "failures": [
            {"door": cell.door, "bound": cell.bound, "table": cell.table} for cell in found.failures
        ],
        "unproved": list(found.unproved),
    }


async def newest(platform: Platform, limit: int, *, failed: bool = False) -> list[Run]:
    """The newest runs, or the newest of those that failed."""
    async with platform.transaction() as db:
        return await store.newest(db, limit, failed=failed)


def standing_of(run: Run | None) -> str:
    """How the wall stands by its newest run, in a few words."""
    if run is None:
        return "not probed yet"
    if run.result == "failed":
        return (
            f"{DEGRADED}: {len(run.failures)} of {run.cells} cells showed another tenant's things"
        )
    if now() - run.at.timestamp() > STALE_SECONDS:
        return "not probed lately; is a worker running?"
    if run.result == "incomplete":
        return f"incomplete: nothing is proved by {', '.join(run.unproved)}"
    return "ok"


@dataclass(slots=True)
class Watch:
    """How the wall stands, for a process that serves and does not probe."""

    platform: Platform
    _counted: int = field(default=0, init=False)

    async def report(self) -> str:
        """The standing, for readiness; the metrics follow it. It raises nothing."""
        try:
            with uncounted():
                async with asyncio.timeout(_PATIENCE):
                    found = await newest(self.platform, 1)
        except (Unavailable, TimeoutError):
            return "not known; the database is away"
        run = found[0] if found else None
        if run is not None:
            self._count(run)
        return standing_of(run)

    def _count(self, run: Run) -> None:
        ISOLATION_FAILURES.inc(max(0, run.failures_so_far - self._counted))
        self._counted = max(self._counted, run.failures_so_far)
        if run.passed_at is not None:
            ISOLATION_PASSED_AT.set(run.passed_at.timestamp())
