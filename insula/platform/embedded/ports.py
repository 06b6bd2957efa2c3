"""TCP ports on 127.0.0.1."""

import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """Name a port that nobody listens on now; somebody may a moment later."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Ask as a server would: a port in TIME_WAIT is free, one with a listener is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
