"""Redirect URIs are compared as strings, but for the port of a native loopback (AZ-4, AZ-5)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oidc_world import CALLBACK

from insula.oidc.errors import InvalidRedirectUri
from insula.oidc.features.redirect_uris import check_redirect_uri
from insula.oidc.models import Client

REGISTERED = "https://app.example/cb?a=1"


def client(*uris, application_type="web"):
    return Client(UUID(int=1), "c", "C", application_type=application_type, redirect_uris=uris)


def is_accepted(uri, registered):
    try:
        return check_redirect_uri({"redirect_uri": uri}, registered) == uri
    except InvalidRedirectUri:
        return False


@pytest.mark.spec("RFC9700-2.1")
@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb?a=1",
        "HTTPS://app.example/cb?a=1",
        "https://APP.example/cb?a=1",
        "https://app.example:443/cb?a=1",
        "https://app.example/cb/?a=1",
        "https://app.example/cb",
        "https://app.example/cb?a=1&b=2",
        "https://app.example/cb?a=1#",
        "https://app.example/CB?a=1",
        "https://app.example/%63b?a=1",
        "https://app.example/x/../cb?a=1",
        "https://app.example//cb?a=1",
        "https://app.example.evil.example/cb?a=1",
        "https://app.example@evil.example/cb?a=1",
        "https://user@app.example/cb?a=1",
        "https://app.example\\@evil.example/cb?a=1",
        " https://app.example/cb?a=1",
        "https://app.example/cb?a=1 ",
        "https://app.example/cb?a=1\n",
        "//app.example/cb?a=1",
        "https://*.example/cb?a=1",
        "javascript:alert(1)",
    ],
)
def test_anything_but_the_registered_string_is_refused(uri):
    assert not is_accepted(uri, client(REGISTERED))


@pytest.mark.spec("RFC9700-2.1")
def test_each_registered_uri_is_accepted_and_a_query_is_part_of_it():
    both = client(REGISTERED, CALLBACK)

    assert is_accepted(REGISTERED, both)
    assert is_accepted(CALLBACK, both)


@pytest.mark.spec("OIDCC-3.1.2.1")
def test_it_is_needed_even_if_only_one_is_registered():
    with pytest.raises(InvalidRedirectUri, match="missing"):
        check_redirect_uri({}, client(CALLBACK))


@given(st.text(max_size=40))
def test_a_registered_uri_has_no_neighbours(tail):
    assert is_accepted(REGISTERED + tail, client(REGISTERED)) == (tail == "")


@pytest.mark.spec("RFC8252-7.3", "AZ-5")
@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"),
        ("http://[::1]:1/cb?x=1", "http://[::1]:65535/cb?x=1"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
    ],
)
def test_a_native_loopback_may_vary_its_port(registered, asked):
    assert is_accepted(asked, client(registered, application_type="native"))
    assert not is_accepted(asked, client(registered))


@pytest.mark.spec("RFC8252-8.3", "AZ-5")
@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://localhost/cb", "http://localhost:5000/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:5000/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:5000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/other"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example:5000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.2:5000/cb"),
        ("http://127.0.0.1/cb", "http://[::1]:5000/cb"),
        ("https://app.example/cb", "https://app.example:5000/cb"),
    ],
)
def test_nothing_else_of_a_native_uri_may_vary(registered, asked):
    assert not is_accepted(asked, client(registered, application_type="native"))


@pytest.mark.spec("AZ-5")
async def test_a_native_application_gets_its_code_at_its_port(world):
    app = world.public(application_type="native", redirect_uris=("http://127.0.0.1/cb",))
    port = "http://127.0.0.1:51004/cb"

    code = await world.code(app, redirect_uri=port)
    answer = await world.redeem(app, code, redirect_uri=port)

    assert answer.status == 200


@pytest.mark.spec("RFC6749-3.1.2")
@pytest.mark.parametrize(
    ("registered", "start"),
    [
        ("https://app.example/cb?a=1", "https://app.example/cb?a=1&code="),
        ("https://app.example/cb?", "https://app.example/cb?code="),
        ("com.example.app:/cb", "com.example.app:/cb?code="),
        ("https://app.example/c\u00e4b", "https://app.example/c%C3%A4b?code="),
    ],
)
async def test_a_query_of_its_own_is_kept(world, registered, start):
    app = world.client(redirect_uris=(registered,))

    answer = await world.signed_in().authorize(app)

    assert answer.location.startswith(start)


async def test_the_person_is_told_where_they_are_going(world):
    web = world.client(consent="ask")
    app = world.client("app", consent="ask", redirect_uris=("com.example.app:/cb",))

    assert world.asked(await world.signed_in().authorize(web)).redirect_host == "app.example"
    assert world.asked(await world.signed_in().authorize(app)).redirect_host == "com.example.app"
