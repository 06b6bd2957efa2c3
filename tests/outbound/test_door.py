"""What the door sends, to whom, and which answers it takes."""

import asyncio
import gzip
import ssl
import time

import httpcore2
import pytest
from hosts_of_others import NAME, OTHER_PUBLIC, PUBLIC, Names, Server, says, sends
from structlog.testing import capture_logs

from insula.kernel.metrics import REGISTRY
from insula.outbound import wire
from insula.outbound.errors import (
    AddressRefused,
    BadAnswer,
    Busy,
    OutboundError,
    TooLarge,
    TooSlow,
    Unreachable,
)
from insula.outbound.names import system_look_up
from insula.outbound.settings import OutboundRules

pytestmark = pytest.mark.spec("security row 102", "security decision 8")

JSON = ("application/json",)
URL = f"https://{NAME}/keys?of=client"


async def fetch(door, url=URL, *, limit=1000, accept=JSON, party=""):
    return await door.fetch(url, limit=limit, accept=accept, purpose="test", party=party)


# --- the question


async def test_a_document_is_fetched_with_nothing_of_ours_but_a_name(door, server):
    server.answer = says(
        b'{"a":1}', "Cache-Control: public, max-age=600", content_type="Application/JSON; x=y"
    )

    document = await fetch(door, f"{URL}#fragment")

    assert (document.status, document.body) == (200, b'{"a":1}')
    assert (document.content_type, document.max_age) == ("application/json", 600)
    (request,) = server.requests
    assert request == (
        b"GET /keys?of=client HTTP/1.1\r\n"
        b"Host: rp.example\r\n"
        b"User-Agent: Insula\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n"
        b"Accept: application/json\r\n\r\n"
    )


async def test_a_form_is_posted_and_any_status_is_an_answer(door, server):
    server.answer = says(b'{"error":"x"}', status="400 Bad Request")

    answer = await door.post(URL, form={"logout_token": "a b&c"}, limit=100, purpose="test")

    assert (answer.status, answer.body) == (400, b'{"error":"x"}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /keys?of=client HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert body == b"logout_token=a+b%26c"


async def test_a_body_is_posted_as_what_it_is(door, server):
    await door.post(URL, body=b"{}", content_type="application/json", limit=10, purpose="test")

    assert b"Content-Type: application/json\r\n" in server.requests[0]
    assert server.requests[0].endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("content_type", ["", "json", "a/b\r\nX-More: 1", "a/b; c=d"])
async def test_a_content_type_brings_no_other_header(door, server, content_type):
    with pytest.raises(ValueError, match="media type"):
        await door.post(URL, body=b"", content_type=content_type, limit=10, purpose="test")

    assert server.connections == 0


async def test_an_answer_that_nobody_wants_is_not_read(door, server):
    server.answer = sends(b"\r\n", *[b"x" * 100_000] * 1000)

    answer = await door.post(URL, form={}, limit=0, purpose="test")

    assert (answer.status, answer.body) == (200, b"")


async def test_cookies_are_not_kept(door, server):
    server.answer = says(b"{}", "Set-Cookie: a=b")

    await fetch(door)
    await fetch(door)

    assert b"cookie" not in server.requests[1].lower()
    assert server.connections == 2


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"])
async def test_proxies_of_the_environment_are_ignored(monkeypatch, make_door, internet, variable):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")

    await fetch(make_door())

    assert internet.addresses == [(PUBLIC, 443)]


# --- the connection


async def test_the_connection_goes_to_the_address_that_was_checked(make_door, internet, server):
    rebinding = Names(rp_example=[[PUBLIC], ["127.0.0.1"]])
    door = make_door(look_up=rebinding)

    await fetch(door)

    assert rebinding.asked == [f"{NAME}."]
    assert internet.addresses == [(PUBLIC, 443)]
    assert server.names == [NAME]


async def test_a_name_that_moves_inside_is_refused_from_then_on(make_door, internet):
    door = make_door(look_up=Names(rp_example=[[PUBLIC], ["127.0.0.1"]]))
    await fetch(door)

    with pytest.raises(AddressRefused):
        await fetch(door)

    assert internet.addresses == [(PUBLIC, 443)]


async def test_the_next_address_is_tried_where_one_is_dead(make_door, internet):
    door = make_door(look_up=Names(rp_example=[[PUBLIC, OTHER_PUBLIC]]))
    internet.dead.add(PUBLIC)

    await fetch(door)

    assert internet.addresses == [(PUBLIC, 443), (OTHER_PUBLIC, 443)]


def test_the_machine_knows_its_own_name():
    assert {"127.0.0.1", "::1"} & set(system_look_up("localhost", 443))


async def test_a_name_has_no_address(make_door):
    def none(_name, _port):
        raise OSError("no such name")

    for look_up in (none, Names(rp_example=[[]])):
        with pytest.raises(Unreachable):
            await fetch(make_door(look_up=look_up))


async def test_a_certificate_for_another_name_is_refused(make_door, server):
    door = make_door(look_up=Names(other_example=[[PUBLIC]]))

    with pytest.raises(Unreachable, match="tls"):
        await fetch(door, "https://other.example/")

    assert server.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(make_door, server):
    with pytest.raises(Unreachable, match="tls"):
        await fetch(make_door(ca_file=None))

    assert server.requests == []


def test_tls_is_1_2_or_newer_and_verified():
    context = wire.trusting(OutboundRules())

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_plain_http_is_not_spoken_to_where_tls_was_meant(make_door, internet):
    async with Server().listening(None) as server:
        internet.server = server
        with pytest.raises(Unreachable):
            await fetch(make_door(seconds=1))


async def test_nobody_listens(make_door, internet):
    internet.dead.add(PUBLIC)

    with pytest.raises(Unreachable) as refusal:
        await fetch(make_door())

    assert not isinstance(refusal.value, TooSlow)


# --- the list of exceptions


async def test_a_pair_on_the_list_is_reached_on_this_machine(make_door, server):
    door = make_door(network=None, allow=frozenset({f"127.0.0.1:{server.port}"}))

    document = await fetch(door, f"https://127.0.0.1:{server.port}/")

    assert document.body == b"{}"


async def test_a_pair_on_the_list_may_speak_plain_http(make_door):
    async with Server().listening(None) as server:
        door = make_door(network=None, allow=frozenset({f"127.0.0.1:{server.port}"}))

        document = await fetch(door, f"http://127.0.0.1:{server.port}/")

    assert document.body == b"{}"


async def test_a_name_on_the_list_is_looked_up_as_the_machine_does(make_door, server):
    names = Names(rp_example=[["127.0.0.1"]])
    door = make_door(network=None, look_up=names, allow=frozenset({f"{NAME}:{server.port}"}))

    await fetch(door, f"https://{NAME}:{server.port}/")

    assert names.asked == [NAME]


async def test_the_list_is_exact(make_door, server):
    door = make_door(network=None, allow=frozenset({f"127.0.0.1:{server.port}"}))
    other = server.port - 1

    for url in (
        f"https://127.0.0.1:{other}/",
        f"http://127.0.0.1:{other}/",
        "https://127.0.0.1/",
        f"https://127.0.0.2:{server.port}/",
        f"https://[::1]:{server.port}/",
        f"https://[::ffff:127.0.0.1]:{server.port}/",
    ):
        with pytest.raises(AddressRefused):
            await fetch(door, url)

    assert server.connections == 0


# --- the answer


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_no_redirect_is_followed(door, server, internet, status):
    server.answer = says(b"", "Location: https://127.0.0.1/", status=f"{status} Elsewhere")

    with pytest.raises(BadAnswer, match="redirect"):
        await fetch(door)
    with pytest.raises(BadAnswer, match="redirect"):
        await door.post(URL, form={}, limit=0, purpose="test")

    assert internet.addresses == [(PUBLIC, 443)] * 2


async def test_a_change_of_protocol_is_refused(door, server):
    server.answer = sends(
        b"Upgrade: x\r\nConnection: upgrade\r\n\r\n", first=b"HTTP/1.1 101 Switching\r\n"
    )

    with pytest.raises(BadAnswer):
        await door.post(URL, form={}, limit=0, purpose="test")


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial", "401 Who", "404 Not Found"])
async def test_a_document_that_is_not_there_is_a_bad_answer(door, server, status):
    server.answer = says(b"", status=status)

    with pytest.raises(BadAnswer, match=status[:3]):
        await fetch(door)


@pytest.mark.parametrize("status", ["429 Slow Down", "500 Oh", "503 Away"])
async def test_a_host_out_of_order_counts_as_away(door, server, status):
    server.answer = says(b"{}", status=status)

    with pytest.raises(Unreachable, match=status[:3]):
        await fetch(door)


async def test_a_document_of_another_kind_is_refused(door, server):
    server.answer = says(b"<html>", content_type="text/html")

    with pytest.raises(BadAnswer):
        await fetch(door)

    assert (await fetch(door, accept=())).body == b"<html>"


async def test_two_content_types_are_none(door, server):
    server.answer = says(b"{}", "Content-Type: text/html")

    with pytest.raises(BadAnswer):
        await fetch(door)


async def test_a_compressed_answer_is_refused_unopened(door, server):
    bomb = gzip.compress(bytes(10_000_000))
    server.answer = says(bomb, "Content-Encoding: gzip")

    with pytest.raises(BadAnswer, match="coding"):
        await fetch(door, limit=1_000_000)
    with pytest.raises(BadAnswer, match="coding"):
        await door.post(URL, form={}, limit=1_000_000, purpose="test")


async def test_an_answer_that_declares_too_much_is_not_waited_for(door, server):
    server.answer = sends(
        first=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n",
        every=10,
    )

    with pytest.raises(TooLarge):
        await fetch(door, limit=1000)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (b"\r\n", b"x" * 65536),
    ],
    ids=["chunked", "until the end"],
)
async def test_an_answer_of_unknown_size_is_read_to_the_limit(door, server, header, part):
    server.answer = sends(header, *[part] * 1000)

    with pytest.raises(TooLarge):
        await fetch(door, limit=100_000)

    assert server.sent < 30_000_000


async def test_the_limit_itself_is_allowed(door, server):
    server.answer = says(b"x" * 1000)
    assert len((await fetch(door, limit=1000)).body) == 1000

    server.answer = says(b"x" * 1001)
    with pytest.raises(TooLarge):
        await fetch(door, limit=1000)


async def test_no_reader_takes_more_than_the_door(make_door, server):
    server.answer = says(b"x" * 1001)

    with pytest.raises(TooLarge):
        await fetch(make_door(most_bytes=1000), limit=10_000)


@pytest.mark.parametrize(
    "head",
    [
        b"220 mail.example ESMTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
    ],
    ids=["another protocol", "two lengths", "cut short", "a head without end"],
)
async def test_what_is_no_http_is_a_bad_answer(door, server, head):
    server.answer = sends(first=head)

    with pytest.raises(BadAnswer):
        await fetch(door)


async def test_a_host_that_hangs_up_is_away(door, server):
    server.answer = sends(first=b"")

    with pytest.raises(Unreachable):
        await fetch(door)


# --- time


def drips(first):
    return sends(*[b"x"] * 200, every=0.05, first=first)


@pytest.mark.spec("security F-9")
@pytest.mark.parametrize(
    "answer",
    [
        drips(b"HTTP/1.1 200 OK\r\nX: "),
        drips(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"),
        sends(every=10, first=b""),
    ],
    ids=["dripping head", "dripping body", "silence"],
)
async def test_a_slow_answer_is_given_up_as_a_whole(make_door, server, answer):
    server.answer = answer
    door = make_door(seconds=0.4)
    began = time.monotonic()

    with pytest.raises(TooSlow):
        await fetch(door)

    assert time.monotonic() - began < 2


async def test_a_handshake_that_never_ends_is_given_up(make_door, internet):
    async def silence(_reader, writer):
        await asyncio.sleep(3)
        writer.close()

    silent = await asyncio.start_server(silence, "127.0.0.1", 0)
    internet.server.port = silent.sockets[0].getsockname()[1]
    began = time.monotonic()
    with pytest.raises(TooSlow, match="connect"):
        await fetch(make_door(connect_seconds=0.3))
    assert time.monotonic() - began < 2
    silent.close()


async def test_an_address_that_swallows_everything_is_given_up(make_door):
    class BlackHole(httpcore2.AsyncNetworkBackend):
        async def connect_tcp(self, *_):
            await asyncio.sleep(60)

    with pytest.raises(TooSlow):
        await fetch(make_door(network=BlackHole(), seconds=0.3))


async def test_a_name_server_that_never_answers_is_given_up(make_door):
    def slow(_name, _port):
        time.sleep(1)
        return [PUBLIC]

    door = make_door(look_up=slow, seconds=0.2, lookups_per_party=2)
    for _ in range(2):
        with pytest.raises(TooSlow):
            await fetch(door, party="a")

    with pytest.raises(Busy):  # its threads are still taken
        await fetch(door, party="a")
    with pytest.raises(TooSlow):  # and nobody else's
        await fetch(door, party="b")


# --- what is told


async def test_a_refusal_is_one_line_with_host_and_reason_and_no_query(door, server):
    server.answer = says(b"", status="404 Not Found")

    with capture_logs() as lines, pytest.raises(OutboundError):
        await fetch(door, f"https://{NAME}/path?secret=hidden")

    (line,) = [line for line in lines if line["event"] == "outbound.refused"]
    assert (line["host"], line["reason"]) == (f"{NAME}:443", "status 404")
    assert "hidden" not in str(lines)
    assert "path" not in str(lines)


async def test_a_url_that_is_not_understood_is_not_logged(door):
    with capture_logs() as lines, pytest.raises(AddressRefused):
        await fetch(door, "https://user:hidden@rp.example/")

    assert lines[0]["event"] == "outbound.refused"
    assert "hidden" not in str(lines)


async def test_requests_are_counted_by_outcome(door, server):
    def count(outcome):
        labels = {"purpose": "test", "outcome": outcome}
        return REGISTRY.get_sample_value("insula_outbound_requests_total", labels) or 0

    ok, bad = count("ok"), count("bad_answer")

    await fetch(door)
    server.answer = says(b"", status="302 Found")
    with pytest.raises(BadAnswer):
        await fetch(door)

    assert (count("ok"), count("bad_answer")) == (ok + 1, bad + 1)


async def test_what_is_learnt_inside_is_not_told(make_door):
    door = make_door(look_up=Names(rp_example=[["10.1.2.3"]]))

    with pytest.raises(AddressRefused) as refusal:
        await fetch(door)

    assert "10.1.2.3" not in refusal.value.description


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Cache-Control: max-age=60", 60),
        ("Cache-Control: PUBLIC, Max-Age=60", 60),
        ("Cache-Control: max-age=60, no-store", 0),
        ("Cache-Control: no-cache", 0),
        ("Cache-Control: max-age=60, max-age=30", 30),
        ("Cache-Control: s-maxage=60", None),
        ("Cache-Control: max-age=-1", None),
        ("Cache-Control: max-age=soon", None),
        ("Pragma: x", None),
    ],
)
async def test_for_how_long_a_document_may_be_kept(door, server, header, seconds):
    server.answer = says(b"{}", header)

    assert (await fetch(door)).max_age == seconds


async def test_authorities_that_cannot_be_read_are_told_at_the_start(make_door, tmp_path):
    await make_door().open()

    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("absent.pem", "empty.pem"):
        with pytest.raises(OSError):  # noqa: PT011  (the system's words)
            await make_door(ca_file=tmp_path / name).open()
