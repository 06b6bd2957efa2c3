"""Taking a published key back by hand does not end the automatic rotation."""

from insula.keys import service


async def test_an_algorithm_comes_due_again_after_its_next_key_was_retired(house, envelope):
    (kid,) = await service.publish(house.tenant, envelope, ["ES256"])

    await service.retire(house.tenant, kid)

    active = [
        key
        for key in await service.list_keys(house.tenant)
        if key.alg == "ES256" and key.state == "active"
    ]
    assert active[0].due_at is not None
