"""Host headers are read once and strictly; who called is read from trusted proxies only."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.tenancy.hosts import (
    NOBODY,
    BadHost,
    Networks,
    client_ip,
    one_header,
    parse_host,
)

_GOOD_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\Z")


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        (b"acme.localhost", "acme.localhost"),
        (b"ACME.LocalHost", "acme.localhost"),
        (b"acme.localhost:8000", "acme.localhost"),
        (b"acme.localhost.", "acme.localhost"),
        (b"acme.localhost.:8000", "acme.localhost"),
        (b"localhost:1", "localhost"),
        (b"localhost:65535", "localhost"),
        (b"127.0.0.1:8000", "127.0.0.1"),
        (b"[::1]:8000", "::1"),
        (b"[0:0:0:0:0:0:0:1]", "::1"),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
        (b"under_score.example", "under_score.example"),
        (b"a" * 63 + b".example", "a" * 63 + ".example"),
    ],
)
def test_a_host_is_lower_case_without_port_and_trailing_dot(raw, host):
    assert parse_host(raw) == host


@pytest.mark.spec("security row 107", "CVE-2026-48710")
@pytest.mark.parametrize(
    "raw",
    [
        b"", b".", b"..", b":", b":80", b"acme..example", b".acme.example", b"acme.example..",
        b"acme.example:", b"acme.example:0", b"acme.example:65536", b"acme.example:080000",
        b"acme.example:8a", b"acme.example:-1", b"acme.example: 80", b"acme.example:80:80",
        b" acme.example", b"acme.example ", b"acme example", b"acme.example\t", b"acme.example\r",
        b"acme.example\n", b"acme.example\x00", b"acme\x00.example", b"acme.example,evil.example",
        b"acme.example;evil", b"acme.example/", b"/acme.example", b"acme.example/path",
        b"acme.example?x", b"acme.example#x", b"user@acme.example", b"http://acme.example",
        b"//acme.example", b"acme\\.example", b"acme%2eexample", b"*.example", b"-acme.example",
        b"acme-.example", b"[::1", b"::1", b"[]", b"[:::]", b"[::1]x", b"[::1]:", b"[::g]",
        b"[127.0.0.1]", b"[::1%25eth0]", b"[1:2:3:4:5:6:7:8:9]", "b\u00fccher.example".encode(),
        "b\u00fccher.example".encode("latin-1"), "acme\u3002example".encode(),
        b"a" * 64 + b".example", b"a." * 126 + b"aa", b"x" * 300,
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused(raw):
    with pytest.raises(BadHost):
        parse_host(raw)


@given(st.binary(max_size=300))
def test_no_bytes_get_through_that_are_no_host(raw):
    try:
        host = parse_host(raw)
    except BadHost:
        return
    if ":" in host:
        ipaddress.IPv6Address(host)
    else:
        assert _GOOD_NAME.match(host)
        assert len(host) <= 253
        assert max(map(len, host.split("."))) <= 63


_label = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.lists(_label, min_size=1, max_size=4), st.integers(1, 65535), st.data())
def test_case_port_and_dot_change_nothing(labels, port, data):
    name = ".".join(labels)
    written = "".join(c.upper() if data.draw(st.booleans()) else c for c in name)
    for raw in (written, f"{written}.", f"{written}:{port}", f"{written}.:{port}"):
        assert parse_host(raw.encode()) == name


@given(st.lists(_label, min_size=1, max_size=3), st.sampled_from(list(b'\x00\t\r\n /\\@?#,;%"<>')))
def test_one_forbidden_byte_anywhere_refuses(labels, byte):
    name = ".".join(labels).encode()
    for at in (0, len(name) // 2, len(name)):
        with pytest.raises(BadHost):
            parse_host(name[:at] + bytes([byte]) + name[at:])


def test_a_header_that_is_sent_twice_is_refused_even_if_both_agree():
    headers = [(b"accept", b"*/*"), (b"host", b"acme.example"), (b"host", b"acme.example")]
    with pytest.raises(BadHost):
        one_header(headers, b"host")
    assert one_header(headers, b"accept") == b"*/*"
    assert one_header(headers, b"x-tenant-id") is None


@pytest.mark.spec("security row 61")
def test_networks_know_their_peers_in_any_notation():
    networks = Networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])
    for inside in ("10.1.2.3", "::ffff:10.1.2.3", "::ffff:0a01:0203", "2001:db8::1", "192.0.2.7"):
        assert inside in networks
        assert inside in networks  # from memory too
    for outside in ("11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "192.0.2.8", "", "testclient"):
        assert outside not in networks


def test_no_networks_trust_nobody():
    assert not NOBODY
    assert "127.0.0.1" not in NOBODY
    assert "10.0.0.1" not in Networks([])


def test_networks_that_are_none_are_refused_when_they_are_read():
    with pytest.raises(ValueError, match="does not appear to be"):
        Networks(["10.0.0.0/33"])


@pytest.fixture
def proxies():
    return Networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.spec("features A03", "security row 61")
@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        (None, "10.0.0.1"),
        (b"203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (b"198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (b"1.1.1.1,203.0.113.9,10.0.0.2,fd00::2", "203.0.113.9"),
        (b"::ffff:203.0.113.9", "203.0.113.9"),
        (b"2001:db8::0001", "2001:db8::1"),
        (b"10.0.0.3, 10.0.0.2", "10.0.0.1"),
    ],
)
def test_the_caller_is_the_right_most_hop_that_is_no_proxy(proxies, forwarded, caller):
    assert client_ip("10.0.0.1", forwarded, proxies) == caller


@pytest.mark.parametrize("forwarded", [b"203.0.113.9", b"10.0.0.2", b"nonsense"])
def test_a_stranger_cannot_say_who_called(proxies, forwarded):
    assert client_ip("192.0.2.1", forwarded, proxies) == "192.0.2.1"
    assert client_ip("10.0.0.1", forwarded, NOBODY) == "10.0.0.1"


@pytest.mark.spec("CVE-2024-47070")
@pytest.mark.parametrize(
    "forwarded",
    [b"", b",", b"unknown", b"203.0.113.9, _hidden", b"203.0.113.9:443", b"[2001:db8::1]", b"\xff",
     b"203.0.113.9,", b"127.1", b"0x7f000001"],
)  # fmt: skip
def test_a_proxy_that_sends_no_addresses_is_refused(proxies, forwarded):
    with pytest.raises(BadHost):
        client_ip("10.0.0.1", forwarded, proxies)
