"""
The processes of `insula serve` when there are several: forked from one that has imported it all.

uvicorn's supervisor starts each of its processes as a new interpreter, which spends seconds of CPU
on imports; on a busy machine a replacement for a dead process takes half a minute, and each holds
memory of its own for the same modules. Forked, a process serves within a fraction of a second and
shares what its parent has loaded. The supervisor opens no connection and starts no thread, so
nothing is inherited that two processes may not share.
"""

import gc
import importlib
import multiprocessing
import os
import signal
import sys
from socket import socket
from typing import TYPE_CHECKING, cast

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import multiprocess

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

#: Seconds between two looks at whether the supervisor still lives.
_GLANCE = 1.0
_DIED = 1
_fork = multiprocessing.get_context("fork")


class Forked(multiprocess.Process):
    """One serving process. It ends in an orderly way when its supervisor is gone."""

    #: Whether one of them has served, as far as their supervisor has asked.
    served = False

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self._supervisor = os.getpid()
        # Two contexts make classes that differ in how a process is born, and in nothing else.
        self.process = cast(
            "SpawnProcess", _fork.Process(target=self._live, kwargs={"sockets": sockets})
        )

    def start(self) -> None:
        """
        Fork.

        The child begins with the supervisor's handlers, which only take notes: a signal that
        comes before it has its own must wait, or it would be lost.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, multiprocess.SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)

    def _live(self, sockets: list[socket]) -> None:
        for each in multiprocess.SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)
        self.target(sockets)

    def _healthcheck(self, timeout: float) -> bool | None:
        found = super()._healthcheck(timeout)
        if found:
            Forked.served = True
        return found

    @property
    def exitcode(self) -> int | None:
        """
        How it ended; where others have served, one that could not start has merely died.

        Its database is away, say: the supervisor tries again, and ends not all the others.
        """
        ended = super().exitcode
        return _DIED if ended == STARTUP_FAILURE and Forked.served else ended

    def always_pong(self) -> None:
        """
        Answer the supervisor as long as it lives; then end this process.

        Its end does not close the pipe, whose other end the siblings have inherited. A process
        that stayed behind would hold the port that the next supervisor wants.
        """
        while os.getppid() == self._supervisor:
            if self.child_conn.poll(_GLANCE):
                self.pong()
        os.kill(os.getpid(), signal.SIGTERM)


def supervise(config: Config) -> None:
    """
    Serve the application that *config* names in as many processes as it says; until told to.

    Where one of them refuses to start, all end, and so does this program, as one process does.
    """
    importlib.import_module(str(config.app).partition(":")[0])
    gc.collect()
    gc.freeze()  # a collection would touch, and so copy, every page that the processes share
    # uvicorn makes its processes in four places and lets nobody choose their class.
    multiprocess.Process = Forked  # type: ignore[misc]
    supervisor = multiprocess.Multiprocess(config, sockets=[config.bind_socket()])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)
