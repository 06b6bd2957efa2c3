"""The product, called by programs."""

import pytest
from callers import Programs


@pytest.fixture(scope="session")
def programs(product):
    return Programs(product)


@pytest.fixture(scope="session")
def slugs(product):
    """A tenant of this area's own, and another that must not notice."""
    for slug in ("ours", "theirs"):
        product.tenant(slug)
    return "ours", "theirs"


@pytest.fixture(scope="session")
def own(slugs):
    return slugs[0]


@pytest.fixture
def ours(programs, own):
    """A program of our tenant that may do everything there."""
    return programs.make(own)


@pytest.fixture
def theirs(programs, slugs):
    return programs.make(slugs[1])


@pytest.fixture
def platform(programs):
    """A program of the platform that may do everything there, in every tenant's registry entry."""
    return programs.make("_platforms")
