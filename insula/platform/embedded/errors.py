"""
Every way an embedded server can fail to start.

    EmbeddedServerError
    ├─ AlreadyRunning    another process keeps a server in the same folder
    └─ StartFailed       the server ended or stayed silent; carries the end of its log
"""


class EmbeddedServerError(RuntimeError):
    """A sentence for the developer at the terminal."""


class AlreadyRunning(EmbeddedServerError):
    pass


class StartFailed(EmbeddedServerError):
    pass
