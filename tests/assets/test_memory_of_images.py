"""What one process remembers of images: under their tenant and within a bound."""

import pytest

from insula.assets import service
from insula.assets.service import Images
from insula.audit.models import SYSTEM
from insula.kernel.db import trips

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>%d</text></svg>'


async def kept(house, n):
    drawn = await service.draw("favicon", SVG % n)
    async with house.tenant.transaction() as db:
        return (await service.add(db, "favicon", drawn, SYSTEM)).digest


@pytest.mark.spec("features J11", "features CR-11")
async def test_an_image_is_fetched_once_and_remembered_for_its_tenant_alone(two_houses):
    a, b = two_houses
    digest = await kept(a, 1)
    images, counter = Images(), [0]
    mark = trips.set(counter)
    try:
        first = await images.find(a.tenant, digest)
        assert counter == [1]
        assert await images.find(a.tenant, digest) == first
        assert counter == [1]
        assert await images.find(b.tenant, digest) is None
        assert await images.find(b.tenant, digest) is None  # what is not there is not remembered
        assert counter == [3]
    finally:
        trips.reset(mark)
    assert first[0] == "image/svg+xml"


@pytest.mark.spec("features CR-11")
async def test_memory_is_bounded_and_what_does_not_fit_is_served_all_the_same(house):
    digests = [await kept(house, n) for n in range(4)]
    images, counter = Images(size=1500), [0]
    mark = trips.set(counter)
    try:
        for digest in digests * 2:
            assert await images.find(house.tenant, digest) is not None
    finally:
        trips.reset(mark)
    assert counter == [8]
    small = Images(size=10)
    assert await small.find(house.tenant, digests[0]) is not None
