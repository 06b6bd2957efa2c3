"""
How often a test repeats what chance decides, as a pytest plugin: `--soak` is for `make soak`.

`make test` tries few of the ways that there are, each time others; the soak tries many.
"""

import pytest


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="repeat at length what chance decides")


@pytest.fixture(scope="session")
def often(pytestconfig):
    """`often(few, many)` is how often to do something in this run."""

    def often(few, many):
        return many if pytestconfig.getoption("--soak") else few

    return often
