"""One process of four is killed: the others serve, and another takes its place."""

import os
import signal
from pathlib import Path

import httpx2
from ledger import Load
from spine import FAST, GRANTS, Api, signed_in, tokens_of, until


def processes(house):
    """The serving processes: children of the supervisor."""
    parent = house.server.process.pid
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def test_a_killed_process_is_replaced_and_hardly_noticed(alive):
    app = alive.app("acme", grant_types=GRANTS, refresh_grace=60, **FAST)
    with signed_in(alive, "acme", app) as browser:
        tokens = [tokens_of(alive, "acme", app, browser)["refresh_token"] for _ in range(4)]
    before = processes(alive)
    assert len(before) == 4

    with Load(alive, "acme", app, tokens) as load:
        for victim in sorted(before)[:2]:
            os.kill(victim, signal.SIGKILL)
            until(20, lambda victim=victim: len(processes(alive) - {victim}) == 4)
            until(20, lambda: load.statuses[200] > 50)

    assert load.wrong == []
    assert load.statuses[200] > 50
    broken = sum(n for status, n in load.statuses.items() if status != 200)
    assert broken <= len(tokens) * 2  # at most what was in the hands of those who died
    assert load.missing() == (set(), set())
    assert len(processes(alive) - before) == 2


def test_a_retry_on_another_connection_succeeds_at_once(alive):
    app = alive.app("acme", grant_types=GRANTS, **FAST)
    api = Api(alive, "acme", app)
    assert api.own_token().status_code == 200
    victim = min(processes(alive))
    os.kill(victim, signal.SIGKILL)

    for _ in range(12):
        try:
            answer = api.own_token()
        except httpx2.TransportError:
            answer = api.own_token()
        assert answer.status_code == 200
    until(20, lambda: len(processes(alive) - {victim}) == 4)


def test_processes_whose_supervisor_is_killed_end_and_free_the_port(alive):
    orphans = processes(alive)
    assert len(orphans) == 4

    os.kill(alive.server.process.pid, signal.SIGKILL)
    until(20, lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))

    alive.server.start()
    until(20, lambda: len(processes(alive)) == 4)
    with alive.server.client("acme") as client:
        assert client.get("/.well-known/openid-configuration").status_code == 200


def test_processes_of_one_supervisor_make_up_different_secrets(alive):
    """What they inherit from their parent must not be the next number of a generator."""
    app = alive.app("acme", grant_types=GRANTS, **FAST)
    answers = [Api(alive, "acme", app).own_token() for _ in range(16)]  # a connection for each
    tokens = {answer.json()["access_token"] for answer in answers}
    requests = {answer.headers["x-request-id"] for answer in answers}
    assert len(tokens) == len(requests) == len(answers)
