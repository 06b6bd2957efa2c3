"""
Processes of `insula` that are forked from one that has imported everything already.

A new interpreter spends more than a second on imports, and a run starts a hundred of them. The
zygote imports once and forks for each program that is asked for; the child gets the caller's
variables, descriptors and words, and runs the same `main` as the script does. It is a process like
any other: a session of its own, signals, an exit code.

Not for what is itself about starting: those tests use `subprocess`.
"""

import atexit
import contextlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_HEAD = 8  # bytes of a length


class Forked:
    """One such process, as `subprocess.Popen` has it."""

    def __init__(self, line: socket.socket):
        self._line = line
        self._said = b""
        self.returncode = None
        self.pid = int(self._hear(None))

    def _hear(self, seconds):
        """The next line that the zygote says of this process; None if it says nothing so long."""
        self._line.settimeout(seconds)
        while b"\n" not in self._said:
            try:
                more = self._line.recv(64)
            except (TimeoutError, BlockingIOError):
                return None
            if not more:
                raise RuntimeError("the zygote is gone")
            self._said += more
        said, _, self._said = self._said.partition(b"\n")
        return said

    def poll(self):
        if self.returncode is None and (said := self._hear(0)) is not None:
            self._end(said)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            said = self._hear(timeout)
            if said is None:
                raise subprocess.TimeoutExpired("insula", timeout)
            self._end(said)
        return self.returncode

    def _end(self, said):
        self.returncode = int(said)
        self._line.close()


class Zygote:
    """The process that forks, started with the first program that is asked for."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="insula-zygote-")
        self._address = str(Path(self._folder.name) / "s")
        self._process = None
        self._lock = threading.Lock()
        atexit.register(self.end)

    def end(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._folder.cleanup()

    def _connected(self):
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603  (this file)
                    [sys.executable, __file__, self._address], cwd=_ROOT, stdin=subprocess.DEVNULL
                )
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        deadline = time.monotonic() + 60
        while True:
            try:
                line.connect(self._address)
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return line

    def start(self, words, *, env, cwd, stdin, stdout, stderr) -> Forked:
        """Run `insula` with *words*; the three descriptors are the child's own."""
        asked = json.dumps({"words": list(words), "env": dict(env), "cwd": str(cwd)}).encode()
        line = self._connected()
        socket.send_fds(line, [len(asked).to_bytes(_HEAD, "big")], [stdin, stdout, stderr])
        line.sendall(asked)
        return Forked(line)


def run(zygote, words, *, env, cwd, stdin=""):
    """As `subprocess.run` with captured text."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin.encode())
        given.seek(0)
        files = {"stdin": given.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
        process = zygote.start(words, env=env, cwd=cwd, **files)
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            raise
        out.seek(0)
        err.seek(0)
        said, complained = out.read().decode(), err.read().decode()
    return subprocess.CompletedProcess(list(words), code, said, complained)


# --- the process itself


def _main(address):
    """Fork for whoever asks, as long as the parent lives; returns in each child alone."""
    _import_everything()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(f"{address}.new")
    listener.listen(64)
    Path(f"{address}.new").rename(address)
    awake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    lines = {}
    parent = os.getppid()
    while os.getppid() == parent:
        ready, _, _ = select.select([listener, awake], [], [], 1)
        if awake in ready:
            os.read(awake, 4096)
        _bury(lines)
        if listener in ready:
            line, _ = listener.accept()
            asked, files = _asked(line)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for each in (listener, line, *lines.values()):
                    each.close()
                os.close(awake)
                os.close(waker)
                _become(asked, files)
                return
            for each in files:
                os.close(each)
            lines[pid] = line
            _say(line, pid)
    sys.exit()


def _import_everything():
    """All that `insula` imports but its commands, which look at the variables as they load."""
    import insula.jobs.queue  # noqa: PLC0415
    import insula.platform.app  # noqa: PLC0415
    import insula.platform.server  # noqa: PLC0415
    import insula.platform.tasks  # noqa: F401, PLC0415


def _asked(line):
    head, files, _, _ = socket.recv_fds(line, _HEAD, 3)
    length, body = int.from_bytes(head, "big"), b""
    while len(body) < length:
        body += line.recv(length - len(body))
    return json.loads(body), files


def _bury(lines):
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            line = lines.pop(pid)
            _say(line, os.waitstatus_to_exitcode(status))
            line.close()


def _say(line, number):
    with contextlib.suppress(OSError):  # whoever asked has gone
        line.sendall(f"{number}\n".encode())


def _become(asked, files):
    """Be the process that was asked for: its descriptors, variables, words, and a session."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, each in enumerate(files):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    random.seed()
    sys.argv = ["insula", *asked["words"]]


if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT))
    _main(sys.argv[1])
    from insula.platform.cli.main import main

    main()
