"""
argon2id in a bounded pool of threads, with a fair queue between tenants.

Hashing is the dearest thing this product does, and a stranger can ask for it. So only so
many run at once, tenants take turns, and when the queue is full the answer is an honest
503 with a time to come back (features.md CR-13).
"""

import asyncio
import base64
import secrets
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar
from uuid import UUID

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from insula.accounts.settings import Hashing
from insula.kernel.errors import Unavailable
from insula.kernel.metrics import HASHING_REFUSED, HASHING_WAITING

T = TypeVar("T")

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class FairPool(Generic[T]):
    """Runs blocking work in *threads* threads; tenants that wait are served in turn."""

    def __init__(self, threads: int, queue: int, queue_per_tenant: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="hashing")
        self._free = threads
        self._queue = queue
        self._queue_per_tenant = queue_per_tenant
        self._waiting: OrderedDict[UUID, deque[_Job]] = OrderedDict()
        self._count = 0

    async def run(self, tenant_id: UUID, work: Callable[[], T]) -> T:
        """
        Run *work* when it is this tenant's turn; its result.

        Raises `Unavailable` when too many wait, of all tenants or of this one.
        """
        mine = self._waiting.get(tenant_id, ())
        if self._count >= self._queue or len(mine) >= self._queue_per_tenant:
            HASHING_REFUSED.inc()
            raise Unavailable(
                "too many sign-ins at once", retry_after=2, detail="hashing queue full"
            )
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = (work, future)
        self._waiting.setdefault(tenant_id, deque()).append(job)
        self._count += 1
        self._start()
        try:
            return await future
        except asyncio.CancelledError:
            self._withdraw(tenant_id, job)
            raise

    def _withdraw(self, tenant_id: UUID, job: _Job) -> None:
        """Free the place of a caller that has gone away, if it still waits."""
        jobs = self._waiting.get(tenant_id)
        if jobs is not None and job in jobs:
            jobs.remove(job)
            self._count -= 1
            HASHING_WAITING.set(self._count)
            if not jobs:
                del self._waiting[tenant_id]

    def _start(self) -> None:
        while self._free and self._waiting:
            tenant_id, jobs = self._waiting.popitem(last=False)
            work, future = jobs.popleft()
            if jobs:  # behind the others: one each, in turn
                self._waiting[tenant_id] = jobs
            self._count -= 1
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._executor, work)
            running.add_done_callback(lambda done, future=future: self._finished(done, future))  # type: ignore[misc]
        HASHING_WAITING.set(self._count)

    def _finished(self, done: "asyncio.Future[T]", future: "asyncio.Future[T]") -> None:
        self._free += 1
        if done.cancelled():  # the process is ending
            future.cancel()
        elif not future.cancelled():
            if (error := done.exception()) is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result())
        self._start()

    def close(self) -> None:
        """Let go of who waits; what runs is finished."""
        for _, future in (job for jobs in self._waiting.values() for job in jobs):
            future.cancel()
        self._waiting.clear()
        self._count = 0
        self._executor.shutdown(wait=False, cancel_futures=True)


def normalise(password: str) -> str:
    """A password as it is hashed: composed, nothing cut, nothing trimmed (security row 55)."""
    return unicodedata.normalize("NFC", password)


def _of_nothing(settings: Hashing) -> str:
    """A hash of the cost of all others that no password has: made up, since to make one is dear."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (16, 32)
    )
    cost = f"m={settings.memory_kib},t={settings.passes},p={settings.lanes}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


class Passwords:
    """Hashes and checks passwords of all tenants of this process."""

    def __init__(self, settings: Hashing) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.passes,
            memory_cost=settings.memory_kib,
            parallelism=settings.lanes,
            type=Type.ID,
        )
        self._pool: FairPool[Any] = FairPool(
            settings.threads, settings.queue, settings.queue_per_tenant
        )
        #: Checked in place of the hash that an unknown person does not have (security row 63).
        self._dummy = _of_nothing(settings)

    async def hash(self, tenant_id: UUID, password: str) -> str:
        """The argon2id hash of a password. Raises `Unavailable`."""
        plain = normalise(password)
        hashed: str = await self._pool.run(tenant_id, lambda: self._hasher.hash(plain))
        return hashed

    async def verify(self, tenant_id: UUID, stored: str | None, password: str) -> bool:
        """
        Whether *password* fits *stored*; without a stored hash the same work is done for nothing.

        Raises `Unavailable`.
        """
        plain = normalise(password)

        def work() -> bool:
            try:
                return self._hasher.verify(stored or self._dummy, plain) and bool(stored)
            except (VerificationError, InvalidHashError):
                return False

        fits: bool = await self._pool.run(tenant_id, work)
        return fits

    def is_stale(self, stored: str) -> bool:
        """Whether a hash has another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._pool.close()
