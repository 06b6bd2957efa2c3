"""
Tests that share costly servers run in one worker, as a pytest plugin.

A fixture of a session is made once in each worker. Where it is a server of several processes, or a
browser, it is worth while to keep those who ask for it in one place (`--dist loadgroup`).
"""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_TOGETHER = frozenset(
    {
        "clients_of_others", "conformance", "deployment", "edge", "faults", "how_to", "journeys",
        "providers", "registration",
    }
)  # fmt: skip


def pytest_itemcollected(item):
    folder = item.path.relative_to(_HERE).parts[0]
    if folder in _TOGETHER:
        item.add_marker(pytest.mark.xdist_group(folder))
