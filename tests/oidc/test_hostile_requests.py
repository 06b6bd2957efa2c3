"""No request is a bug, and none leads a browser where no client is registered."""

import asyncio
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, FORM, SECRET, call

from insula.oidc.endpoints.end_session import PARAMETERS as LOGOUT
from insula.oidc.features import PARAMETERS

texts = st.text(max_size=30)
values = st.one_of(
    texts,
    st.sampled_from(
        [
            *("web", CALLBACK, CALLBACK + "?x=1", "https://evil.example/", "code", "none", "login"),
            *("openid", "openid profile", "form_post", "query", "0", "-1", "S256", "v" * 43),
            *("{}", '{"userinfo":{"name":null}}', "[", "a.b.c", "eyJhbGciOiJub25lIn0.e30."),
            *("authorization_code", "refresh_token", "client_credentials", SECRET, "\r\nx: y"),
        ]
    ),
)
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def some(names):
    return st.lists(st.tuples(st.sampled_from(sorted(names)), values), max_size=12)


def is_sound(answer):
    assert answer.status < 500, answer.text
    assert not any(b"\r" in value or b"\n" in value for _, value in answer.raw_headers)
    if answer.status == 303:
        target = urlsplit(answer.location)
        assert target.netloc in {"", "app.example"}
    return True


@pytest.fixture
def open_world(world):
    world.client(profile="standard", scopes=frozenset({"openid", "profile"}))
    return world


@quick
@given(extra=some(PARAMETERS), base=st.booleans(), signed_in=st.booleans(), post=st.booleans())
def test_authorize(open_world, extra, base, signed_in, post):
    client = open_world.host.clients.active["web"]
    browser = open_world.signed_in() if signed_in else open_world.browser()
    params = dict(extra) | open_world.request(client) if base else extra

    answer = asyncio.run(browser.go("/oauth2/authorize", params, method="POST" if post else "GET"))

    assert is_sound(answer)


@quick
@given(extra=some(LOGOUT), signed_in=st.booleans())
def test_logout(open_world, extra, signed_in):
    browser = open_world.signed_in() if signed_in else open_world.browser()

    assert is_sound(asyncio.run(browser.go("/oauth2/logout", extra)))


@quick
@given(
    path=st.sampled_from(["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"]),
    extra=some(
        [
            *("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"),
            *("client_id", "client_secret", "client_assertion", "token", "token_type_hint"),
        ]
    ),
    authorization=st.one_of(st.none(), st.text(st.characters(max_codepoint=255), max_size=20)),
)
def test_programs(open_world, path, extra, authorization):
    open_world.host.clients.failures.clear()
    headers = [FORM] + ([("authorization", authorization)] if authorization is not None else [])

    answer = asyncio.run(
        call(open_world.provider, "POST", path, headers=headers, body=urlencode(extra).encode())
    )

    assert is_sound(answer)
    assert answer.status in {200, 400, 401}


@quick
@given(body=st.binary(max_size=200), query=st.binary(max_size=50))
def test_bytes(open_world, body, query):
    for path in ("/oauth2/token", "/oauth2/userinfo", "/oauth2/authorize", "/oauth2/logout"):
        answer = asyncio.run(
            call(open_world.provider, "POST", path, headers=[FORM], body=body, query=query)
        )
        assert is_sound(answer)
