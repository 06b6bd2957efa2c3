"""PostgreSQL is killed, slow, or frozen: honest refusals, nothing lost, and nobody restarts us."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from browsing import Browser
from ledger import Load, reconnect
from raw_http import ask
from spine import FAST, GRANTS, Api, signed_in, tokens_of, until


@pytest.fixture(scope="module")
def app(house):
    return house.app("acme", grant_types=GRANTS, refresh_grace=60, **FAST)


@pytest.fixture(scope="module")
def families(house, app):
    """Refresh tokens, each of a family of its own."""
    with signed_in(house, "acme", app) as browser:
        return [tokens_of(house, "acme", app, browser)["refresh_token"] for _ in range(6)]


def test_a_crash_under_load_loses_nothing_and_needs_no_restart(alive, app, families):
    host = alive.server.host("acme").encode()
    before = workers(alive)
    for _ in range(40):  # every process has met the tenant
        assert ask(alive.server, "/oauth2/jwks", host).status == 200
    with Load(alive, "acme", app, families) as load:
        time.sleep(1.5)
        alive.postgres.kill()
        time.sleep(1)
        while_down(alive, host)
        alive.postgres.start()
        up = time.monotonic()
        assert until(15, lambda: load.answered > up) < 15
        time.sleep(4)  # every process has asked once for what has changed

    assert load.wrong == []
    assert set(load.statuses) <= {200, 503}
    assert load.statuses[503] > 0
    assert workers(alive) == before
    reconnect(alive)
    assert load.missing() == (set(), set())
    assert len(load.issues) > 50
    assert Api(alive, "acme", app).is_active(load.refresh_tokens[-1])
    for _ in range(12):  # whichever process it is, and whichever of its pools
        with Browser() as browser:
            assert browser.open(alive.authorize_url("acme", app)).status == 200
            assert browser.open(alive.url("acme", "/sign-in")).status == 200


def workers(house):
    log = house.server.log.read_text()
    return log.count("tenant.made"), log.count("Traceback"), house.server.process.poll()


def while_down(house, host):
    """What is known is served, what is not is refused in the caller's format."""
    for path in ("/oauth2/jwks", "/.well-known/openid-configuration"):
        for _ in range(8):  # whichever process it is
            assert ask(house.server, path, host).status == 200
    assert ask(house.server, "/health", b"ops.localhost").status == 200
    form = ("Content-Type", "application/x-www-form-urlencoded")
    introspection = {
        "method": "POST",
        "headers": [form, ("Content-Length", "31")],
        "body": b"client_id=a&client_secret=b&tok",
    }
    asked = [
        ("/ready", b"ops.localhost", {}),
        ("/oauth2/introspect", host, introspection),
        ("/sign-in", host, {}),
        ("/api/v1/users", b"never-met.localhost", {}),
    ]
    with ThreadPoolExecutor(len(asked)) as pool:  # each waits a moment for the database
        waiting = [pool.submit(ask, house.server, path, at, **more) for path, at, more in asked]
        ready, token, page, stranger = [one.result() for one in waiting]
    assert json.loads(ready.body)["checks"]["database"] != "ok"
    assert json.loads(token.body)["error"] == "temporarily_unavailable"
    assert page.header("content-type").startswith("text/html")
    assert stranger.header("content-type") == "application/problem+json"
    for answer in (ready, token, page, stranger):
        assert answer.status == 503
        assert int(answer.header("retry-after")) > 0
        for secret in (b"psycopg", b"5432", str(house.postgres.port).encode(), b"connection"):
            assert secret not in answer.body


@pytest.mark.spec("security F-3")
def test_a_process_that_dies_meanwhile_is_replaced_afterwards(alive):
    host, supervisor = alive.server.host("acme").encode(), alive.server.process
    for _ in range(40):  # every process has met the tenant
        assert ask(alive.server, "/oauth2/jwks", host).status == 200
    former = children(supervisor.pid)
    refused = alive.server.log.read_text().count("startup failed")
    alive.postgres.kill()
    os.kill(former[0], signal.SIGKILL)

    def tried():
        return alive.server.log.read_text().count("startup failed") > refused + 1

    until(40, tried)
    assert supervisor.poll() is None
    assert ask(alive.server, "/oauth2/jwks", host).status == 200  # of those that were there
    alive.postgres.start()

    def replaced():
        now = children(supervisor.pid)
        return len(now) == len(former) and set(former[1:]) < set(now)

    until(30, replaced)
    until(30, lambda: ask(alive.server, "/ready", b"ops.localhost").status == 200)


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_sign_in_goes_on_after_the_crash(alive, app):
    person = alive.person("acme")
    with Browser() as browser:
        page = browser.open(alive.authorize_url("acme", app))
        alive.postgres.kill()
        answer = browser.send(page, username=person.email, password=person.password)
        assert answer.status_code == 503
        alive.postgres.start()

        until(15, lambda: ask(alive.server, "/ready", b"ops.localhost").status == 200)
        arrived = browser.sign_in(page, person)

        assert arrived.code


# --- slow


@pytest.fixture
def slow(second, wire):
    yield wire
    wire.delay = 0.0
    until(30, lambda: ask(second, "/ready", b"ops.localhost").status == 200)


def together(n, act):
    """*n* at once; their statuses and how long the slowest took."""
    started = time.monotonic()
    with ThreadPoolExecutor(n) as pool:
        statuses = [f.result() for f in [pool.submit(act) for _ in range(n)]]
    return statuses, time.monotonic() - started


def test_a_slow_database_makes_answers_slow_and_not_wrong(house, app, second, slow):
    api = Api(house, "acme", app, port=second.port)
    assert api.own_token().status_code == 200
    slow.delay = 0.1

    statuses, took = together(20, lambda: api.own_token().status_code)

    assert set(statuses) == {200}
    assert took < 5
    started = time.monotonic()
    assert api.get("/oauth2/jwks").status_code == 200
    assert time.monotonic() - started < 0.1


@pytest.mark.spec("features E02")
def test_a_probe_hears_in_time_that_the_database_says_nothing(second, slow):
    slow.delay = 20.0
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{second.port}", headers={"host": "ops.localhost"}, timeout=5
    ) as gateway:
        started = time.monotonic()
        ready = gateway.get("/ready")
        assert time.monotonic() - started < 4
        numbers = gateway.get("/metrics")
        assert time.monotonic() - started < 8

    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
    said = ready.json()["checks"]
    assert said["database"] == "no answer within 3 s"
    assert (said["migrations"], said["clock"], said["events"]) == ("not asked", "not asked", "ok")
    assert said["isolation"].startswith("not known; ")
    assert numbers.status_code == 200
    assert "insula_requests_total" in numbers.text


def test_a_very_slow_one_sheds_and_recovers(house, app, second, slow):
    api = Api(house, "acme", app, port=second.port)
    assert api.own_token().status_code == 200
    slow.delay = 2.0

    statuses, took = together(60, lambda: api.own_token().status_code)

    assert set(statuses) <= {200, 503}
    assert 503 in statuses  # the queue is bounded
    assert 200 in statuses
    assert took < 20
    for _ in range(3):
        started = time.monotonic()
        answer = httpx2.get(
            f"http://127.0.0.1:{second.port}/health", headers={"host": "ops.localhost"}
        )
        assert answer.status_code == 200
        assert time.monotonic() - started < 0.25
    slow.delay = 0.0
    until(30, lambda: together(10, lambda: api.own_token().status_code)[0] == [200] * 10)
