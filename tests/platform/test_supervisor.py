"""The supervisor of `make run`, in a process of its own, as Ctrl-C and kill find it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from leftovers import processes_in, wait_until_gone

from insula.platform.embedded import EmbeddedValkey
from insula.platform.embedded.ports import free_port
from insula.platform.supervisor import AlreadyStarted, Child, ChildEnded, Supervisor

PATIENT = "import time; print('up'); time.sleep(600)"
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("up")
time.sleep(600)
"""
# An orderly one tells when it was stopped, so that the order can be read from the output.
ORDERLY = """
import signal, sys, time
def leave(number, frame):
    print("leaving")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up")
time.sleep(600)
"""


@pytest.fixture
def supervise(tmp_path):
    """Run a program inside a Supervisor, its variable `s`; `child(name, code)` makes children."""
    started = []

    def start(body):
        program = textwrap.dedent("""
            import sys
            from pathlib import Path
            from insula.platform import supervisor
            from insula.platform.supervisor import Child, Supervisor

            supervisor.STOP_TIMEOUT = 1.0

            def child(name, code, **options):
                return Child(name, [sys.executable, "-c", code], **options)

            with Supervisor(Path(sys.argv[1])) as s:
        """) + textwrap.indent(textwrap.dedent(body), "    ")
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-c", program, tmp_path / "state"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def read_until(process, text):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    pytest.fail(f"ended without saying {text!r}: {lines}")


def read_all(process, *texts):
    """Read on until each of *texts* was said, in whatever order: the children run by themselves."""
    left = list(texts)
    for line in process.stdout:
        said = next((text for text in left if text in line), None)
        if said is not None:
            left.remove(said)
        if not left:
            return
    pytest.fail(f"ended without saying {left}")


def python(code):
    return [sys.executable, "-c", code]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_children_in_the_reverse_order_of_their_start(supervise, tmp_path, number):
    process = supervise(f"""
        s.start(child("web", {ORDERLY!r}))
        s.start(child("demo", {ORDERLY!r}))
        print("watching", flush=True)
        sys.exit(s.watch())
    """)
    read_all(process, "up", "up", "watching")

    process.send_signal(number)

    rest, _ = process.communicate(timeout=10)
    leaving = [line.split("|")[0].strip() for line in rest.splitlines() if "leaving" in line]
    assert leaving == ["demo", "web"]
    assert process.returncode == 0
    assert not list(processes_in(tmp_path))


def test_the_end_of_an_essential_child_ends_the_others_with_its_exit_code(supervise, tmp_path):
    process = supervise(f"""
        s.start(child("web", {PATIENT!r}))
        s.start(child("worker", "import time; time.sleep(0.3); raise SystemExit(7)"))
        sys.exit(s.watch())
    """)

    said, _ = process.communicate(timeout=10)

    assert "worker ended with exit code 7; stopping the others\n" in said
    assert process.returncode == 7
    assert not list(processes_in(tmp_path))


def test_a_killed_child_is_named_with_its_signal(supervise):
    process = supervise("""
        s.start(child("web", "import os; os.kill(os.getpid(), 9)"))
        sys.exit(s.watch())
    """)

    said, _ = process.communicate(timeout=10)

    assert "web was killed by SIGKILL; stopping the others\n" in said
    assert process.returncode == 1


def test_a_child_that_ignores_the_request_is_ended_with_what_it_started(supervise, tmp_path):
    process = supervise(f"""
        s.start(child("web", {STUBBORN!r}))
        sys.exit(s.watch())
    """)
    read_until(process, "up")

    process.terminate()
    process.communicate(timeout=10)

    assert process.returncode == 0
    wait_until_gone(tmp_path)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_killing_the_supervisor_leaves_no_child(supervise, tmp_path):
    process = supervise(f"""
        s.start(child("web", {PATIENT!r}))
        s.start(child("demo", {PATIENT!r}))
        s.watch()
    """)
    read_until(process, "up")
    read_until(process, "up")

    process.kill()

    wait_until_gone(tmp_path)


def test_a_second_start_names_the_first_in_one_line(supervise):
    first = supervise("""
        s.announce(["http://platform.localhost:8000", "http://127.0.0.1:8001"])
        print("here", flush=True)
        s.watch()
    """)
    read_until(first, "here")

    second = supervise("print('never')")
    said, _ = second.communicate(timeout=10)

    assert second.returncode == 1
    assert said == (
        f"Insula already runs in this folder: process {first.pid},"
        " http://platform.localhost:8000, http://127.0.0.1:8001\n"
    )


def test_after_a_killed_first_the_second_starts(supervise, state):
    first = supervise("print('here', flush=True); s.watch()")
    read_until(first, "here")
    first.kill()
    first.wait()

    with Supervisor(state):
        pass


def test_a_first_that_is_still_starting_is_named_too(state):
    with Supervisor(state), pytest.raises(AlreadyStarted, match=f"process {os.getpid()}, still"):
        Supervisor(state).__enter__()


def test_every_line_of_a_child_carries_its_name(state, tmp_path):
    with (tmp_path / "terminal").open("w+") as terminal:
        child = Child("web", python("print('one'); print('two')"), essential=False, out=terminal)
        with Supervisor(state) as supervisor:
            supervisor.start(child)
            while child.exit_code is None:
                time.sleep(0.01)
        terminal.seek(0)
        said = terminal.read()

    assert said == "web     | one\nweb     | two\n"


def answering(port, seen, status=200):
    return f"""
import http.server, pathlib
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        pathlib.Path({str(seen)!r}).write_text(self.headers["Host"] + self.path)
        self.send_response({status})
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Answer).serve_forever()
"""


def test_readiness_asks_the_host_that_it_was_told(state, tmp_path):
    port, seen = free_port(), tmp_path / "seen"
    with Supervisor(state) as supervisor:
        supervisor.start(Child("web", python(answering(port, seen))))
        supervisor.wait_for_http(port, "/readyz", host="ops.localhost:8000")

    assert seen.read_text() == "ops.localhost:8000/readyz"


def test_waiting_for_a_child_that_ended_is_refused(state):
    with Supervisor(state) as supervisor:
        supervisor.start(Child("web", python("raise SystemExit(3)")))

        with pytest.raises(ChildEnded, match="web ended with exit code 3") as end:
            supervisor.wait_for_tcp(free_port())

    assert end.value.exit_code == 3


def test_an_unessential_child_may_end(state):
    with Supervisor(state) as supervisor:
        brief = Child("demo", python("raise SystemExit(3)"), essential=False)
        valkey = EmbeddedValkey(state / "valkey")
        supervisor.start(valkey)
        supervisor.start(brief)
        while brief.exit_code is None:
            time.sleep(0.01)

        supervisor.wait_for_tcp(valkey.port)


@pytest.mark.parametrize("status", [204, 404, 503])
def test_only_an_answer_of_200_is_ready(state, tmp_path, monkeypatch, status):
    monkeypatch.setattr("insula.platform.supervisor.READY_TIMEOUT", 2.0)
    port, seen = free_port(), tmp_path / "seen"
    with Supervisor(state) as supervisor:
        supervisor.start(Child("web", python(answering(port, seen, status))))

        with pytest.raises(TimeoutError, match="did not answer"):
            supervisor.wait_for_http(port, "/ready")
    assert seen.exists()


def test_the_answer_of_somebody_else_does_not_stand_for_a_child_that_ended(state, tmp_path):
    port, seen = free_port(), tmp_path / "seen"
    stranger = subprocess.Popen(python(answering(port, seen)))  # noqa: S603
    try:
        with Supervisor(state) as supervisor:
            supervisor.wait_for_http(port)
            ours = Child("web", python("raise SystemExit(1)"))
            supervisor.start(ours)
            while ours.exit_code is None:
                time.sleep(0.01)

            with pytest.raises(ChildEnded, match="web ended with exit code 1"):
                supervisor.wait_for_http(port)
    finally:
        stranger.kill()
        stranger.wait()


SERVER = """
    from insula.platform.embedded import {kind}
    server = {kind}(Path(sys.argv[1]) / "server")
    s.start(server)
    print("on", server.port, server.pid, flush=True)
    start = server.start
    def started():
        start()
        print("on", server.port, server.pid, flush=True)
    server.start = started
    sys.exit(s.watch())
"""


def where(process):
    """The port and the process of the server, as just said."""
    said = read_until(process, "on ")
    return said, *map(int, said[-1].split()[1:])


@pytest.mark.parametrize("kind", ["EmbeddedValkey", "EmbeddedPostgres"])
def test_an_embedded_server_that_dies_is_started_again_on_its_port(supervise, kind):
    process = supervise(SERVER.format(kind=kind))
    _, port, first = where(process)

    os.kill(first, signal.SIGKILL)

    said, again, second = where(process)
    name = kind.removeprefix("Embedded").replace("Postgres", "PostgreSQL")
    assert said[:-1] == [f"{name} was killed by SIGKILL; starting it again\n"]
    assert (again, second != first) == (port, True)
    process.terminate()
    assert process.wait(10) == 0


def test_an_embedded_server_that_keeps_dying_ends_the_others(supervise):
    process = supervise(SERVER.format(kind="EmbeddedValkey"))
    for _ in range(4):
        _, _, pid = where(process)
        os.kill(pid, signal.SIGKILL)

    said, _ = process.communicate(timeout=20)

    assert said == "Valkey was killed by SIGKILL; stopping the others\n"
    assert process.returncode == 1
