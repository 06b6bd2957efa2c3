"""A client's published keys: fetched when they are needed, and kept as the specification says."""

import asyncio
import json
from uuid import uuid4

import pytest

from insula.outbound.door import Fetched
from insula.outbound.errors import (
    AddressRefused,
    BadAnswer,
    Busy,
    OutboundError,
    TooSlow,
    Unreachable,
)
from insula.providers.client_keys import ClientKeys

URI = "https://rp.example/jwks"
TENANT, CLIENT = uuid4(), uuid4()


def key(kid):
    return {"kty": "EC", "kid": kid}


class Host:
    """A door behind which one client's document lies."""

    def __init__(self):
        self.now = 50.0
        self.asked = []
        self.kids = ["1"]
        self.body = None
        self.max_age = None
        self.failure = None
        self.gate = None

    async def fetch(self, url, **options):
        self.asked.append((url, options))
        if self.gate:
            await self.gate.wait()
        if self.failure:
            raise self.failure("It does not answer.", detail="test")
        body = self.body or json.dumps({"keys": [key(kid) for kid in self.kids]}).encode()
        return Fetched(200, "application/json", self.max_age, body)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def client_keys(host):
    return ClientKeys(host, lambda: host.now)


@pytest.fixture
def kids(client_keys):
    async def get(kid=None, *, tenant=TENANT, client=CLIENT, uri=URI):
        found = await client_keys.keys(tenant, client, uri, kid=kid)
        return [key["kid"] for key in found]

    return get


async def test_a_document_is_asked_for_within_its_limits_and_in_its_tenants_name(kids, host):
    assert await kids("1") == ["1"]

    ((url, options),) = host.asked
    assert url == URI
    assert options["limit"] == 64 * 1024
    assert options["accept"] == ("application/jwk-set+json", "application/json")
    assert options["party"] == str(TENANT)


@pytest.mark.spec("protocol 5.6")
@pytest.mark.parametrize(
    ("max_age", "kept"),
    [(None, 300), (0, 60), (59, 60), (600, 600), (86_400, 86_400), (10**9, 86_400)],
)
async def test_for_how_long_it_is_kept(kids, host, max_age, kept):
    host.max_age = max_age
    await kids("1")

    host.now += kept - 1
    await kids("1")
    assert len(host.asked) == 1

    host.now += 1
    await kids("1")
    assert len(host.asked) == 2


@pytest.mark.spec("OIDCC-10.1.1", "CA-4")
async def test_an_unknown_key_makes_us_look_again_after_half_a_minute(kids, host):
    await kids("1")
    host.kids = ["1", "2"]
    host.now += 29
    assert await kids("2") == ["1"]
    assert len(host.asked) == 1

    host.now += 1
    assert await kids("2") == ["1", "2"]
    assert len(host.asked) == 2


@pytest.mark.spec("CA-4")
async def test_made_up_names_of_keys_cost_one_question_in_half_a_minute(kids, host):
    for number in range(60):
        await kids(f"made up {number}")
        host.now += 1

    assert len(host.asked) == 2


@pytest.mark.spec("CA-4")
async def test_many_who_ask_at_once_share_one_question(kids, host):
    host.gate = asyncio.Event()
    asking = [asyncio.create_task(kids("1")) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who began it
    await asyncio.sleep(0)
    host.gate.set()

    found = await asyncio.gather(*asking, return_exceptions=True)

    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [["1"]] * 19
    assert len(host.asked) == 1


@pytest.mark.spec("protocol 5.6")
@pytest.mark.parametrize("failure", [Unreachable, TooSlow, Busy])
async def test_the_last_good_copy_serves_for_a_day_while_the_host_is_away(kids, host, failure):
    await kids("1")
    host.failure = failure

    host.now += 86_399
    assert await kids("1") == ["1"]

    host.now += 1
    with pytest.raises(failure):
        await kids("1")


@pytest.mark.parametrize("failure", [BadAnswer, AddressRefused])
async def test_it_does_not_serve_where_the_host_answers_something_else(kids, host, failure):
    await kids("1")
    host.failure = failure
    host.now += 60
    assert await kids("2") == ["1"]  # asked too early, still fresh

    host.now += 240
    with pytest.raises(failure):
        await kids("1")


async def test_a_host_that_is_away_is_asked_once_in_half_a_minute(kids, host):
    host.failure = Unreachable
    for _ in range(3):
        with pytest.raises(Unreachable) as refusal:
            await kids("1")
    assert len(host.asked) == 1
    assert refusal.value.detail == "test"

    host.failure = None
    host.now += 30
    assert await kids("1") == ["1"]


async def test_our_own_limits_are_not_held_against_the_host(kids, host):
    host.failure = Busy
    with pytest.raises(Busy):
        await kids("1")

    host.failure = None
    assert await kids("1") == ["1"]


async def test_keys_are_kept_by_tenant_client_and_address(kids, host):
    await kids("1")
    host.kids = ["2"]

    assert await kids("1", tenant=uuid4()) == ["2"]
    assert await kids("1", client=uuid4()) == ["2"]
    assert await kids("1", uri=URI + "2") == ["2"]
    assert await kids("1") == ["1"]


async def test_memory_has_a_bound(kids, host, client_keys):
    host.body = json.dumps({"keys": [{"kid": "x" * 60_000}]}).encode()
    for _ in range(200):
        await kids(client=uuid4())

    assert client_keys._known.currsize <= 8 * 1024 * 1024  # noqa: SLF001
    await kids()
    count = len(host.asked)
    await kids()
    assert len(host.asked) == count


async def test_only_what_makes_a_key_is_kept_of_a_document(host, client_keys):
    good = key("1") | {"crv": "P-256", "x": "a", "y": "b", "use": "sig"}
    large = {"x5c": [[]] * 1000, "other": {"a": [{}] * 1000}}
    host.body = json.dumps(
        {"keys": [good | large, good | {"kid": ["1"]}, key("2") | {"use": 1}]}
    ).encode()

    assert await client_keys.keys(TENANT, CLIENT, URI, kid="1") == (good, {}, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'"keys"',
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b'{"keys":["x"]}',
        b'{"keys":[null]}',
        b'{"keys":[]',
        b"[" * 30_000,
        b'{"keys":[{"n":' + b"9" * 5000 + b"}]}",
        '{"keys":[]}'.encode("utf-16"),
        b'\xff{"keys":[]}',
        b'{"keys":[' + b",".join([b"{}"] * 21) + b"]}",
    ],
)
async def test_what_is_no_key_set_is_a_bad_answer(kids, host, body):
    host.body = body or b" "

    with pytest.raises(BadAnswer) as refusal:
        await kids()

    assert isinstance(refusal.value, OutboundError)


@pytest.mark.spec("DR-6")
async def test_twenty_keys_are_taken(kids, host):
    host.kids = [str(number) for number in range(20)]

    assert await kids("19") == host.kids
