"""How the address in a proof is compared: `normal`, by its laws (DP-2)."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.oidc.addresses import normal

names = st.text(alphabet="abcxyz019.-_~", min_size=1, max_size=6)
paths = st.lists(names, max_size=4).map(lambda each: "/" + "/".join(each))
hosts = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True)
addresses = st.builds(
    lambda scheme, host, port, path: f"{scheme}://{host}{port}{path}",
    st.sampled_from(["http", "https"]),
    hosts,
    st.integers(1, 65535).map(lambda n: f":{n}") | st.just(""),
    paths,
)


@given(addresses)
def test_what_is_normal_stays_as_it_is(address):
    once = normal(address)

    assert once is not None
    assert normal(once) == once


@given(addresses, st.text(alphabet="abc=&/?:@", max_size=8))
def test_query_and_fragment_count_for_nothing(address, rest):
    assert normal(f"{address}?{rest}") == normal(f"{address}#{rest}") == normal(address)


@given(hosts, paths, st.sampled_from([("https", 443), ("http", 80)]))
def test_case_of_scheme_and_host_and_the_default_port_count_for_nothing(host, path, kind):
    scheme, port = kind
    plain = normal(f"{scheme}://{host}{path}")

    assert normal(f"{scheme.upper()}://{host.upper()}{path}") == plain
    assert normal(f"{scheme}://{host}:{port}{path}") == plain
    assert normal(f"{scheme}://{host}:{port + 1}{path}") != plain


@given(hosts, st.lists(st.sampled_from(["a", "b", "cc"]), max_size=4), names)
def test_dot_segments_lead_where_they_lead(host, segments, aside):
    path = "/" + "/".join(segments)
    plain = normal(f"https://{host}{path}")

    assert normal(f"https://{host}/.{path}") == plain
    assert normal(f"https://{host}/{quote(aside)}x/..{path}") == plain
    assert normal(f"https://{host}/..{path}") == plain


@given(hosts, paths)
def test_needless_escapes_are_undone_and_needed_ones_kept(host, path):
    escaped = "".join(f"%{ord(c):02x}" if c != "/" else c for c in path)

    assert normal(f"https://{host}{escaped}") == normal(f"https://{host}{path}")
    assert (
        normal(f"https://{host}/a%2fb") == f"https://{host}/a%2Fb" != normal(f"https://{host}/a/b")
    )


@given(hosts, paths, hosts, paths)
def test_different_places_stay_apart(host, path, other_host, other_path):
    one, other = normal(f"https://{host}/x{path}"), normal(f"https://{other_host}/y{other_path}")

    assert ".." in path + other_path or one != other


@given(st.text(max_size=40) | st.text(alphabet="htps:/@[]%#?.\\\t\n 0", max_size=30))
def test_whatever_comes_is_an_address_or_none(text):
    for each in (text, "https://" + text, "https://a.example/" + text):
        found = normal(each)
        assert found is None or found.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example", "https://a.example/"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
        ("https://a.example/b/..", "https://a.example/"),
        ("https://a.example/b/.", "https://a.example/b/"),
        ("https://a.example//b", "https://a.example//b"),
        ("ftp://a.example/", None),
        ("https:///b", None),
        ("https://ada@a.example/", None),
        ("https://a.example:99999/", None),
        ("https://a.example/\tb", None),
        ("", None),
    ],
)
def test_examples(address, expected):
    assert normal(address) == expected
