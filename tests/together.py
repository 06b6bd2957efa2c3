"""
Which tests run in one worker, as a pytest plugin: those of a file, and those that share servers.

A fixture is made once in each worker that asks for it. Where it is a server of several processes,
or a browser, it is worth while to keep all who ask for it in one place.
"""

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

#: Folders whose tests share such fixtures.
_TOGETHER = frozenset(
    {
        "clients_of_others", "conformance", "deployment", "edge", "faults", "how_to", "journeys",
        "providers", "registration",
    }
)  # fmt: skip


class Together(LoadScopeScheduling):
    """Hands out whole files, and whole folders of costly ones; the largest first."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        folder = file.split("/")[1]
        return folder if folder in _TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
