"""What the worker does: the list of tasks, each bound to its tenant or to the installation."""

from uuid import UUID

import structlog

from insula.audit.settings import LONGEST_DAYS
from insula.config_overrides import plans
from insula.deletion import purge
from insula.deletion import service as deletion
from insula.isolation import service as isolation
from insula.isolation.probe import Probe
from insula.isolation.web.probe import Front
from insula.jobs.queue import Queue, enqueue
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.keys import phases
from insula.outbound.door import Door
from insula.platform.sections import CATALOGUE
from insula.providers import logout
from insula.providers.settings import longest_life
from insula.tenancy.db import Platform, Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants
from insula.tenants.domains import checks
from insula.tenants.domains.proofs import Prover

_log = structlog.get_logger(__name__)

_SWEPT = (
    "authorization_codes",
    "access_tokens",
    "revoked_jtis",
    "refresh_families",
    "token_issues",
    "interactions",
    "sessions",
    "attempt_counters",
    "initial_access_tokens",
    "pushed_requests",
    "seen_once",
    "device_grants",
    "session_clients",
    "idempotency_keys",
    "admin_sessions",
    "activation_links",
    "tenant_days",
)
_BATCH = 1000
#: Each is looked for in what its tenant has decided.
_BATCH_OF_ASSETS = 100
#: With the pauses of the queue's back-off this is a little more than a day (LO-7).
_TRIES_OF_A_DAY = 42
_MONTHS_AHEAD = 3
#: Batches of the record that one night takes at most; the next goes on.
_MOST_TRIMS = 500


class Tasks:
    """The installation's housekeeping."""

    def __init__(  # noqa: PLR0913  (what the work is done with)
        self,
        platform: Platform,
        directory: Directory,
        envelope: Envelope,
        door: Door,
        prover: Prover,
        database: Database,
        front: Front,
        audit_retention_days: int = LONGEST_DAYS,
    ) -> None:
        self._platform = platform
        self._directory = directory
        self._envelope = envelope
        self._door = door
        self._prover = prover
        self._probe = Probe(database, platform, directory, envelope, front)
        self._audit_retention_days = audit_retention_days

    def queue(self, url: str) -> Queue:
        """The queue of the installation, with all of these in it; *url* is the platform role's."""
        queue = Queue(url)
        self.register(queue)
        return queue

    def register(self, queue: Queue) -> None:
        """The one list of tasks."""
        queue.tenant_task("keys.advance_phases", self.advance_keys)
        queue.tenant_task("logout.announce_all", self.announce_all_logouts)
        queue.tenant_task("logout.deliver", self.deliver_logout, attempts=_TRIES_OF_A_DAY)
        queue.tenant_task("deletion.purge", self.purge)
        queue.tenant_task("domains.recheck", self.recheck_domain)
        queue.tenant_task("settings.carry_out", self.carry_out_plan)
        queue.periodic("deletion.queue_due", "* * * * *", self.queue_deletions)
        queue.periodic("domains.find_due", "29 */6 * * *", self.find_due_domains)
        queue.periodic("isolation.probe", "* * * * *", self.probe_isolation)
        queue.periodic("keys.find_due", "* * * * *", self.find_due_keys)
        queue.periodic("settings.find_due", "* * * * *", self.find_due_plans)
        queue.periodic("platform.sweep", "*/5 * * * *", self.sweep)
        queue.periodic("assets.sweep", "41 * * * *", self.sweep_assets)
        queue.periodic("platform.forget_replays", "* * * * *", self.forget_replays)
        queue.periodic("platform.keep_partitions", "17 3 * * *", self.keep_partitions)
        queue.periodic("audit.trim", "47 3 * * *", self.trim_audit)

    async def advance_keys(self, tenant_id: UUID) -> None:
        """Publish, promote and retire what is due for one tenant."""
        tenant = await self._tenant(tenant_id)
        if tenant is None:
            return
        for done in await phases.advance(tenant, self._envelope, longest_life):
            _log.info("keys.advanced", tenant=tenant.slug, done=done)

    async def announce_all_logouts(self, tenant_id: UUID) -> None:
        """End the sessions that a suspended tenant had and tell its clients (protocol.md LO-12)."""
        while True:
            async with self._platform.within(tenant_id) as db:
                ended = await tenants.end_sessions(db, _BATCH)
            if ended < _BATCH:
                break

    async def deliver_logout(self, tenant_id: UUID, notice: UUID) -> None:
        """Tell one client that one sign-in ended."""
        tenant = await self._tenant(tenant_id)
        if tenant is not None and await logout.deliver(tenant, self._envelope, self._door, notice):
            _log.info("logout.delivered", tenant=tenant.slug, notice=str(notice))

    async def purge(self, tenant_id: UUID) -> None:
        """Take everything of a tenant whose deletion is due."""
        home = await self._directory.find(f"slug:{PLATFORMS}")
        if home and await purge.run(self._platform, home, self._envelope, tenant_id):
            _log.info("tenant.purged", tenant=str(tenant_id))

    async def queue_deletions(self) -> None:
        """Queue the purges that are due, and those that a worker left unfinished."""
        await deletion.queue_due(self._platform)

    async def recheck_domain(self, tenant_id: UUID, proof: UUID) -> None:
        """Look again whether a domain of a tenant is proven (features.md T01)."""
        tenant = await self._tenant(tenant_id)
        if tenant is not None and tenant.is_active:
            await checks.recheck(self._platform, self._prover, tenant, proof)

    async def find_due_domains(self) -> None:
        """Queue a job for each domain whose proof is old."""
        queued = await checks.queue_due(self._platform)
        if queued:
            _log.info("domains.due", domains=queued)

    async def carry_out_plan(self, tenant_id: UUID, plan: UUID) -> None:
        """Put into effect what a tenant, or the platform, planned for today (BEY-3)."""
        tenant = await self._tenant(tenant_id)
        if tenant is None or not tenant.is_active:
            return
        done = await plans.carry_out(self._platform, CATALOGUE, self._envelope, tenant_id, plan)
        if done is not None:
            _log.info(
                "settings.plan_failed" if done.failure else "settings.plan_carried_out",
                tenant=tenant.slug, section=done.section, part=done.scope,
            )  # fmt: skip

    async def find_due_plans(self) -> None:
        """Queue a job for each planned change whose time has come."""
        for row in await plans.due(self._platform):
            async with self._platform.within(row.tenant_id) as db:
                await enqueue(
                    db, "settings.carry_out", {"plan": row.id}, once=f"settings.carry_out:{row.id}"
                )

    async def _tenant(self, tenant_id: UUID) -> Tenant | None:
        """The tenant of a job; None if it is gone or put away since that was queued."""
        slug = await tenants.slug_of(self._platform, tenant_id)
        tenant = await self._directory.find(f"slug:{slug}") if slug else None
        return tenant if tenant and tenant.status in ("active", "suspended") else None

    async def find_due_keys(self) -> None:
        """Queue a job for each tenant with a key whose time has come, or must be made anew."""
        for row in await self._platform.fetch(
            "select tenant_id from insula.tenants_with_keys_due()"
        ):
            async with self._platform.within(row.tenant_id) as db:
                await enqueue(
                    db, "keys.advance_phases", once=f"keys.advance_phases:{row.tenant_id}"
                )

    async def probe_isolation(self) -> None:
        """Ask whether a tenant's rows can be seen from outside it (BEY-1)."""
        home = await self._directory.find(f"slug:{PLATFORMS}")
        if home is not None:
            await isolation.run(self._probe, home)

    async def sweep(self) -> None:
        """Delete dead rows in batches, each its own transaction (features.md CR-9)."""
        for table in _SWEPT:
            while True:
                rows = await self._platform.fetch(
                    "select insula.sweep_expired(%(table)s, %(batch)s) as n",
                    {"table": table, "batch": _BATCH},
                )
                if rows[0].n:
                    _log.info("swept", table=table, rows=rows[0].n)
                if rows[0].n < _BATCH:
                    break

    async def sweep_assets(self) -> None:
        """Let go images that nothing of their tenant names any more, in batches."""
        while True:
            rows = await self._platform.fetch(
                "select insula.sweep_assets(%(batch)s) as n", {"batch": _BATCH_OF_ASSETS}
            )
            if rows[0].n < _BATCH_OF_ASSETS:
                break

    async def forget_replays(self) -> None:
        """Delete copies of refresh answers whose window is over."""
        while True:
            rows = await self._platform.fetch(
                "select insula.forget_replay_copies(%(batch)s) as n", {"batch": _BATCH}
            )
            if rows[0].n < _BATCH:
                break

    async def keep_partitions(self) -> None:
        """Make the record's partitions of the next months and drop those past the retention."""
        await self._platform.fetch(
            "select insula.ensure_partitions(%(months)s)", {"months": _MONTHS_AHEAD}
        )
        await self._platform.fetch(
            "select insula.drop_old_partitions('audit_events', make_interval(days => %(days)s))",
            {"days": self._audit_retention_days},
        )

    async def trim_audit(self) -> None:
        """Delete lines of the record that their tenant keeps no longer, sooner than all do."""
        for _ in range(_MOST_TRIMS):
            rows = await self._platform.fetch(
                "select insula.trim_audit(%(longest)s, %(batch)s) as n",
                {"longest": self._audit_retention_days, "batch": _BATCH},
            )
            if rows[0].n < _BATCH:
                break
