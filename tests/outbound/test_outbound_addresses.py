"""Which URLs and addresses are asked at all: only public ones, in whatever notation they come."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hosts_of_others import NAME, OTHER_PUBLIC, PUBLIC, Names
from hypothesis import given
from hypothesis import strategies as st

from insula.outbound import urls
from insula.outbound.addresses import is_reachable
from insula.outbound.errors import AddressRefused, Unreachable
from insula.outbound.names import system_look_up

pytestmark = pytest.mark.spec("security row 102")

JSON = ("application/json",)

FORBIDDEN = {
    "unspecified": "0.0.0.0",  # noqa: S104
    "this network": "0.1.2.3",
    "loopback": "127.0.0.1",
    "another loopback": "127.255.255.254",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.255",
    "private 192": "192.168.1.1",
    "carrier's NAT": "100.64.0.1",
    "a cloud's metadata": "169.254.169.254",
    "another cloud's metadata": "100.100.100.200",
    "a third cloud's metadata": "192.0.0.192",
    "a cloud's host agent": "168.63.129.16",
    "benchmarks": "198.19.0.1",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "unspecified 6": "::",
    "loopback 6": "::1",
    "link-local 6": "fe80::1",
    "site-local 6": "fec0::1",
    "unique local 6": "fd00::1",
    "a cloud's metadata 6": "fd00:ec2::254",
    "multicast 6": "ff02::1",
    "documentation 6": "2001:db8::1",
    "new documentation 6": "3fff::1",
    "benchmarks 6": "2001:2::1",
    "discard 6": "100::1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped metadata": "::ffff:a9fe:a9fe",
    "compatible loopback": "::127.0.0.1",
    "NAT64 of loopback": "64:ff9b::127.0.0.1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "local NAT64": "64:ff9b:1::10.0.0.1",
    "6to4 of private": "2002:a00:1::1",
    "6to4 of anything": "2002:5db8:d70e::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
}

ODD_URLS = {
    "short": "https://127.1/",
    "one number": "https://2130706433/",
    "octal": "https://0177.0.0.1/",
    "hexadecimal": "https://0x7f.0.0.1/",
    "hexadecimal whole": "https://0x7f000001/",
    "hexadecimal end": "https://127.0.0.0x1/",
    "leading zeros": "https://127.000.000.001/",
    "final dot": "https://127.0.0.1./",
    "full-width digits": "https://\uff11\uff12\uff17.0.0.1/",
    "circled digits": "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "ideographic dots": "https://127\u30020\u30020\u30021/",
    "percent-encoded": "https://%31%32%37.0.0.1/",
    "zone": "https://[fe80::1%25eth0]/",
    "no brackets": "https://::1/",
    "user": "https://rp.example@127.0.0.1/",
    "user and password": "https://u:p@rp.example/",
    "empty user": "https://@rp.example/",
    "backslash": "https://rp.example\\@127.0.0.1/",
    "backslash in the path": "https://rp.example/\\127.0.0.1",
    "backslashes for slashes": "https:\\\\rp.example/",
    "line break": "https://rp.example/\r\nX: y",
    "tab in the name": "https://rp.exa\tmple/",
    "space before": " https://rp.example/",
    "NUL": "https://rp.example\x00.evil/",
    "no host": "https:///path",
    "no scheme": "//rp.example/",
    "relative": "/path",
    "one slash": "https:/rp.example/",
    "empty port": "https://rp.example:/",
    "port 0": "https://rp.example:0/",
    "port too high": "https://rp.example:65536/",
    "port in other digits": "https://rp.example:\uff14\uff14\uff13/",
    "two ports": "https://rp.example:443:443/",
    "empty label": "https://rp..example/",
    "label too long": f"https://{'a' * 64}.example/",
    "name too long": f"https://{'a.' * 127}example/",
    "not ASCII": "https://rp.exämple/",
    "underscore": "https://rp_.example/",
    "too long": "https://rp.example/" + "a" * 2048,
    "http": "http://rp.example/",
    "file": "file:///etc/passwd",
    "file with a host": "file://rp.example/etc/passwd",
    "gopher": "gopher://rp.example/",
    "ftp": "ftp://rp.example/",
    "jar": "jar:https://rp.example!/",
    "data": "data:application/json,{}",
    "mail's port": "https://rp.example:25/",
    "ssh's port": "https://rp.example:22/",
    "http's port": "https://rp.example:80/",
}


def url_of(address):
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_an_address_that_is_not_public_is_not_connected_to(door, internet, address):
    with pytest.raises(AddressRefused):
        await door.fetch(url_of(address), limit=100, accept=JSON, purpose="test")

    assert internet.addresses == []


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_nor_is_a_name_that_resolves_to_one(make_door, internet, address):
    door = make_door(look_up=Names(rp_example=[[address]]))

    with pytest.raises(AddressRefused):
        await door.fetch(f"https://{NAME}/", limit=100, accept=JSON, purpose="test")

    assert internet.addresses == []


@pytest.mark.parametrize("address", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_one_bad_address_among_good_ones_condemns_the_name(make_door, internet, address):
    door = make_door(look_up=Names(rp_example=[[PUBLIC, address, OTHER_PUBLIC]]))

    with pytest.raises(AddressRefused):
        await door.post(f"https://{NAME}/", form={}, limit=100, purpose="test")

    assert internet.addresses == []


@pytest.mark.parametrize("url", ODD_URLS.values(), ids=ODD_URLS)
async def test_a_url_that_could_be_read_in_two_ways_is_not_asked(door, internet, names, url):
    with pytest.raises(AddressRefused):
        await door.fetch(url, limit=100, accept=JSON, purpose="test")

    assert internet.addresses == []
    assert names.asked == []


async def test_a_listener_on_this_machine_sees_no_connection(make_door, server):
    door = make_door(network=None, look_up=system_look_up)

    for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "127.1", "0.0.0.0", "localhost"):  # noqa: S104
        with pytest.raises((AddressRefused, Unreachable)):
            await door.fetch(
                f"https://{host}:{server.port}/", limit=100, accept=JSON, purpose="test"
            )

    assert server.connections == 0


@given(st.ip_addresses())
def test_nothing_is_reachable_that_the_interpreter_holds_for_private(address):
    if is_reachable(address):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", OTHER_PUBLIC, "2a00:1450:4001::1", "64:ff9b::5db8:d70e"]
)
def test_public_addresses_are_reachable(address):
    kind = IPv6Address if ":" in address else IPv4Address
    assert is_reachable(kind(address))


def test_a_url_is_taken_apart_once():
    target = urls.parse("HTTPS://RP.Example:8443/a//b?x=1&y=%2F#fragment")

    assert (target.scheme, target.host, target.port) == ("https", "rp.example", 8443)
    assert target.path == "/a//b?x=1&y=%2F"
    assert target.host_header == target.authority == "rp.example:8443"


def test_a_url_without_a_path_asks_for_the_root():
    assert urls.parse("https://rp.example").path == "/"
    assert urls.parse("https://rp.example?x").path == "/?x"
    assert urls.parse("https://rp.example").host_header == "rp.example"


def test_addresses_are_written_in_one_way():
    assert urls.parse("https://[2001:DB8:0::1]/").authority == "[2001:db8::1]:443"
    assert urls.canonical("[0:0::1]:8443") == "[::1]:8443"
    assert urls.canonical("Suite.Internal:8443") == "suite.internal:8443"
    with pytest.raises(AddressRefused):
        urls.canonical("suite.internal")
