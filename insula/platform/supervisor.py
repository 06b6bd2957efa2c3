"""
Keep the processes of `make run` together: they start in order, share a terminal and end as one.

Children live in process groups of their own, so that Ctrl-C reaches the supervisor alone and it can
stop them in the reverse order of their start.  Should the supervisor itself be killed, the kernel
tells each of them (`embedded.launch`).  One supervisor per folder: a lock file says who it is.
"""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self, TextIO

from insula.platform.embedded import EmbeddedServerError, ports
from insula.platform.embedded.launch import tied
from insula.platform.embedded.server import EmbeddedServer

STOP_TIMEOUT = 5.0  # seconds that each child has for an orderly end
READY_TIMEOUT = 60.0
_GLANCE = 0.1  # seconds between two looks at the children
DEATHS, WITHIN = 3, 60.0  # an embedded server is started again so often in so many seconds


class AlreadyStarted(SystemExit):
    """Ends the program with its one line and exit code 1, unless somebody catches it."""


class ChildEnded(Exception):
    """An essential child is gone; *exit_code* is what the program should end with."""

    def __init__(self, name: str, code: int | None) -> None:
        super().__init__(f"{name} {_how(code)}")
        self.exit_code = code if code is not None and code > 0 else 1


class Member(Protocol):
    """A child process or an embedded server."""

    @property
    def name(self) -> str: ...
    @property
    def exit_code(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Child:
    """A program of ours, whose lines appear on our terminal after its name."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        essential: bool = True,
        out: TextIO | None = None,
    ) -> None:
        self.name = name
        self.essential = essential
        self._command = [str(word) for word in command]
        self._env = {**(os.environ if env is None else env), "PYTHONUNBUFFERED": "1"}
        self._out = out or sys.stdout
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._pass_lines_on, daemon=True)

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # commands of the composition root
            tied(self._command, "TERM"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._env,
            start_new_session=True,
        )
        self._reader.start()

    def stop(self) -> None:
        """Ask the child to end, and end it and whatever it started when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(1)

    def _pass_lines_on(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            self._out.write(f"{self.name:<8}| {line.decode(errors='replace').rstrip()}\n")
            self._out.flush()


class Supervisor:
    """
    The members of one development installation, in a `with` block.

    Use it from the main thread: it takes over SIGINT and SIGTERM, and children die with the thread
    that started them.  Leaving the block, by whatever way, stops the members in reverse order.
    """

    def __init__(self, folder: Path, *, out: TextIO | None = None) -> None:
        self._folder = folder
        self._out = out or sys.stdout
        self._members: list[Member] = []
        self._deaths: dict[str, list[float]] = {}
        self._former_handlers: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self._lock = _take(self._folder / "run.lock")
        for number in (signal.SIGINT, signal.SIGTERM):
            self._former_handlers[number] = signal.signal(number, _interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number in self._former_handlers:
            signal.signal(number, signal.SIG_IGN)  # each member's end is bounded; wait for it
        try:
            for member in reversed(self._members):
                member.stop()
        finally:
            for number, handler in self._former_handlers.items():
                signal.signal(number, handler)
            if self._lock is not None:
                os.close(self._lock)

    def start(self, member: Member) -> None:
        """Start a child or an embedded server, and answer for it from now on."""
        self._members.append(member)
        member.start()

    def announce(self, addresses: Sequence[str]) -> None:
        """Let a second start say where the first one is."""
        if self._lock is None:
            raise RuntimeError("announce inside the with block")
        _write(self._lock, {"pid": os.getpid(), "addresses": list(addresses)})

    def wait_for_http(self, port: int, path: str = "/", *, host: str | None = None) -> None:
        """Wait until *port* answers a GET with 200 while every essential child lives."""
        self._wait_until(
            lambda: _answers_http(port, path, host), f"http://{host or ports.HOST}:{port}{path}"
        )

    def wait_for_tcp(self, port: int) -> None:
        self._wait_until(lambda: _accepts(port), f"port {port}")

    def watch(self) -> int:
        """
        Wait for Ctrl-C, then return 0, or for an essential child's end, then its exit code.

        An embedded server that dies is started again; one that keeps dying is such an end.
        """
        try:
            while True:
                self._check_members()
                time.sleep(_GLANCE)
        except KeyboardInterrupt:
            return 0
        except ChildEnded as ended:
            self._say(f"{ended}; stopping the others")
            return ended.exit_code

    def _wait_until(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while not ready():
            self._check_members()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not answer within {READY_TIMEOUT:.0f} s")
            time.sleep(_GLANCE)
        self._check_members()  # the answer may be another's, who has the port that a child wanted

    def _check_members(self) -> None:
        for member in self._members:
            if member.exit_code is None:
                continue
            if isinstance(member, EmbeddedServer):
                self._revive(member)
            elif getattr(member, "essential", True):
                raise ChildEnded(member.name, member.exit_code)

    def _revive(self, server: EmbeddedServer) -> None:
        """Start a server that died where it was, so that those who use it find it again."""
        code = server.exit_code
        while True:
            now = time.monotonic()
            recent = [then for then in self._deaths.get(server.name, []) if now - then < WITHIN]
            self._deaths[server.name] = [*recent, now]
            if len(recent) >= DEATHS:
                raise ChildEnded(server.name, code)
            self._say(f"{server.name} {_how(code)}; starting it again")
            try:
                server.restart()
            except EmbeddedServerError as error:
                self._say(str(error))
                time.sleep(1)
            else:
                return

    def _say(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def _how(code: int | None) -> str:
    """The end of a process, after its name."""
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # a handler's shape
    raise KeyboardInterrupt


def _take(path: Path) -> int:
    """Lock *path*, or end with a line about who holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with os.fdopen(descriptor, "rb") as file:
            raise AlreadyStarted(_holder(file.read())) from None
    _write(descriptor, {"pid": os.getpid(), "addresses": []})
    return descriptor


def _holder(content: bytes) -> str:
    try:
        first = json.loads(content)
    except ValueError:  # caught between its truncation and its writing
        return "Insula already runs in this folder"
    where = ", ".join(first["addresses"]) or "still starting"
    return f"Insula already runs in this folder: process {first['pid']}, {where}"


def _write(descriptor: int, content: Mapping[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)


def _answers_http(port: int, path: str, host: str | None) -> bool:
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=2)
    try:
        connection.request("GET", path, headers={} if host is None else {"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((ports.HOST, port), timeout=1):
            return True
    except OSError:
        return False
