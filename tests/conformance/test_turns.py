"""The plans are run as they claim to be: in turn, one tenant's provider in memory."""

import pytest
from spine import metric
from suite import interleaved
from turns import Turn, take_turns


def test_two_scripts_take_turns():
    said = []

    async def script(name, turns):
        for turn in range(turns):
            answer = await Turn(lambda turn=turn: said.append(f"{name}{turn}") or turn)
            assert answer == turn

    turns = take_turns({"a": script("a", 3), "b": script("b", 2)})

    assert said == ["a0", "b0", "a1", "b1", "a2"]
    assert turns == {"a": 3, "b": 2}


def test_a_failure_says_whose_it_is():
    async def fails():
        await Turn(lambda: None)
        raise AssertionError("wrong")

    async def goes_on():
        while True:
            await Turn(lambda: None)

    with pytest.raises(AssertionError, match="wrong") as raised:
        take_turns({"acme": goes_on(), "globex": fails()})

    assert raised.value.__notes__ == ["at globex, after 1 turns"]


@interleaved
async def test_each_request_finds_the_other_tenants_provider_in_memory(run):
    server = run.site.product.server
    built = metric(server, "provider_pool_builds_total")

    for _ in range(3):
        await run.get(run.metadata["jwks_uri"])

    assert metric(server, "provider_pool_size") == 1
    # in the mean time the peer has had as many turns, and each request of either built one
    assert metric(server, "provider_pool_builds_total") - built >= 5
