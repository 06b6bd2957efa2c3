"""Behind pgbouncer in transaction mode, old ones included, both doors work and mix nobody up."""

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from urllib.parse import urlsplit

import pytest
from foundation import opened
from proxies import program
from sqlalchemy import text

from insula.kernel.one_trip import statement
from insula.platform.embedded.ports import free_port

_OWNERS = "select tenant_id, pg_backend_pid() as backend from insula.users"
OWNERS = statement(_OWNERS)
LOOK = "select count(*) as n, current_setting('insula.tenant_id', true) as tenant from insula.users"


@pytest.fixture
def behind_pgbouncer(database, tmp_path):
    """The serving role's URL, by way of a pgbouncer that has two connections for everybody."""
    if program("pgbouncer") is None:
        pytest.skip("pgbouncer is not installed here, so nothing is said about it")
    parts, port = urlsplit(database.app), free_port()
    (tmp_path / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    (tmp_path / "ini").write_text(
        f"[databases]\n* = host={parts.hostname} port={parts.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {tmp_path}/users\n"
        f"pool_mode = transaction\ndefault_pool_size = 2\n"
    )
    words = [program("pgbouncer"), str(tmp_path / "ini")]
    # it refuses root, and reads its files before it becomes somebody else
    words += ["-u", "nobody"] if os.geteuid() == 0 else []
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603  (the program found)
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
    finally:
        process.kill()
        process.wait(5)


@pytest.mark.spec("security R27")
async def test_doors_share_its_connections_and_see_their_own(behind_pgbouncer, two_houses):
    backends = set()
    async with opened(behind_pgbouncer, size=8) as db:

        async def client(tenant):
            for _ in range(10):
                rows = await db.once(tenant, OWNERS, {})
                async with db.transaction(tenant) as connection:
                    rows = [*rows, *await connection.execute(text(_OWNERS))]
                    await asyncio.sleep(0)
                    rows += await connection.execute(text(_OWNERS))
                assert {row.tenant_id for row in rows} == {tenant}
                backends.update(row.backend for row in rows)
                (seen,) = await db.fetch(LOOK)
                assert (seen.n, seen.tenant or None) == (0, None)

        await asyncio.gather(*(client(house.tenant.id) for house in two_houses * 4))

    assert len(backends) == 2  # fewer than clients: connections did change hands
