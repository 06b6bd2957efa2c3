"""Ports of their own for probes and numbers: the gateway whatever the host, and nobody else."""

import asyncio
import os
import signal
import time
from pathlib import Path

import httpx2
import pytest
from foundation import fresh_database
from serving import ROOT, ZYGOTE, serving

from insula.jobs.queue import Queue
from insula.kernel.errors import Unavailable
from insula.platform.embedded.ports import free_port


@pytest.fixture(scope="module")
def house(cluster, template, worker_id, tmp_path_factory):
    """A server and a worker, each with a port of its own."""
    urls = fresh_database(cluster, template, f"insula_ports_{worker_id}")
    ports = {"INSULA_OPS_PORT": free_port(), "INSULA_WORKER_PORT": free_port()}
    folder = tmp_path_factory.mktemp("ports")
    more = {name: str(port) for name, port in ports.items()}
    more["INSULA_METRICS_CIDRS"] = "127.0.0.1/32"
    with (
        serving(urls.app, urls.platform, cluster.valkey_url, folder, **more) as server,
        (folder / "worker").open("wb") as log,
        Path(os.devnull).open() as nothing,
    ):
        worker = ZYGOTE.start(
            ["worker"], env=server.environment, cwd=ROOT, stdin=nothing.fileno(),
            stdout=log.fileno(), stderr=log.fileno(),
        )  # fmt: skip
        try:
            yield House(server, worker, *ports.values(), folder / "worker")
        finally:
            os.kill(worker.pid, signal.SIGCONT)
            os.kill(worker.pid, signal.SIGTERM)
            worker.wait(15)


class House:
    def __init__(self, server, worker, web, work, log):
        self.server, self.worker, self.log = server, worker, log
        self.web, self.work = (f"http://127.0.0.1:{port}" for port in (web, work))
        deadline = time.monotonic() + 60
        while not self.answers(self.work, "/live"):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    @staticmethod
    def answers(where, path):
        try:
            return httpx2.get(f"{where}{path}", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False


def test_whoever_comes_by_address_is_answered(house):
    for where in (house.web, house.work):
        assert httpx2.get(f"{where}/health").json() == {"status": "ok"}
        ready = httpx2.get(f"{where}/ready", headers={"host": "10.1.2.3:8001"})
        assert (ready.status_code, ready.json()["checks"]["database"]) == (200, "ok")
        assert "set-cookie" not in ready.headers
    assert "\ninsula_request_seconds" in httpx2.get(f"{house.web}/metrics").text
    numbers = httpx2.get(f"{house.work}/metrics").text
    assert "\n# TYPE insula_jobs_total counter" in numbers
    assert httpx2.get(f"{house.work}/live").json()["checks"] == {"queue": "ok"}
    # a server has nothing to do but to answer: that it does is its life
    assert httpx2.get(f"{house.web}/live").status_code == 404


def test_the_host_of_the_gateway_is_answered_as_before(house):
    gateway = {"host": house.server.host("ops")}
    for path in ("/health", "/ready", "/metrics"):
        assert httpx2.get(f"{house.server.url}{path}", headers=gateway).status_code == 200
    tenant = {"host": house.server.host("platform")}
    assert httpx2.get(f"{house.server.url}/oauth2/jwks", headers=tenant).status_code == 200
    assert httpx2.get(f"{house.server.url}/ready", headers=tenant).status_code == 404


def test_no_tenant_is_there_by_any_name(house):
    for where in (house.web, house.work):
        for path in (
            "/", "/sign-in", "/oauth2/jwks", "/oauth2/token", "/api/v1/me", "/static/ui.css",
            "/.well-known/openid-configuration", "/arrival",
        ):  # fmt: skip
            for named in (
                {"host": house.server.host("platform")},
                {"host": "localhost", "x-tenant-id": "_platforms"},
            ):
                answer = httpx2.get(f"{where}{path}", headers=named)
                assert (answer.status_code, answer.json()) == (404, {"error": "not_found"}), path
        assert httpx2.post(f"{where}/ready").status_code == 405


def test_numbers_are_for_whom_they_are_for_and_no_header_says_who_that_is(house):
    """Nobody is a proxy here: the address is that of the connection."""
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2")
    with httpx2.Client(transport=elsewhere) as stranger:
        for where in (house.web, house.work):
            assert stranger.get(f"{where}/ready").status_code == 200
            told = stranger.get(f"{where}/metrics", headers={"x-forwarded-for": "127.0.0.1"})
            assert told.status_code == 404
            near = httpx2.get(f"{where}/metrics", headers={"x-forwarded-for": "203.0.113.9"})
            assert near.status_code == 200


def test_a_worker_that_stands_still_does_not_answer(house):
    os.kill(house.worker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(httpx2.TimeoutException):
            httpx2.get(f"{house.work}/live", timeout=1)
    finally:
        os.kill(house.worker.pid, signal.SIGCONT)

    assert httpx2.get(f"{house.work}/live", timeout=10).status_code == 200


async def test_a_queue_that_does_nothing_is_stuck_and_one_whose_database_is_away_is_not(
    monkeypatch,
):
    monkeypatch.setattr("insula.jobs.queue._STUCK", 0.2)
    queue = Queue("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    await queue.alive()
    await asyncio.sleep(0.3)
    with pytest.raises(Unavailable, match="the queue was not asked"):
        await queue.alive()

    working = asyncio.create_task(queue.work())
    try:
        await asyncio.sleep(0.1)  # it knocks, and nobody is there
        await queue.alive()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
