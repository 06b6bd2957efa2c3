"""What every answer carries, and what is answered when nothing fits or nothing works."""

import asyncio
import json
import re
from collections import Counter

import pytest
from raw_http import ask

from insula.oidc.models import Features
from insula.oidc.provider import ENDPOINTS
from insula.platform import edge
from insula.platform.edge import Edge, Rules
from insula.tenancy.hosts import NOBODY

DOCUMENTS = ("/.well-known/openid-configuration", "/oauth2/jwks")
REQUESTS = [
    ("GET", "/.well-known/openid-configuration"),
    ("HEAD", "/.well-known/openid-configuration"),
    ("GET", "/oauth2/jwks"),
    ("POST", "/oauth2/jwks"),
    ("GET", "/oauth2/authorize"),
    ("GET", "/oauth2/authorize/resume"),
    ("POST", "/oauth2/token"),
    ("OPTIONS", "/oauth2/token"),
    ("GET", "/oauth2/userinfo"),
    ("POST", "/oauth2/introspect"),
    ("POST", "/oauth2/revoke"),
    ("GET", "/oauth2/logout"),
    ("GET", "/oauth2/nothing"),
    ("GET", "/"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/consent"),
    ("GET", "/nothing"),
    ("GET", "/static/nothing.css"),
    ("GET", "/branding/nothing.css"),
    ("PUT", "/sign-in"),
    ("TRACE", "/"),
]


@pytest.fixture
def acme(product):
    return product.server.host("acme").encode()


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("where", ["acme", "nobody", "ops"])
def test_every_answer_is_guarded(product, method, path, where):
    answer = ask(product.server, path, product.server.host(where).encode(), method=method)

    assert answer.status < 500
    assert answer.all("x-content-type-options") == ["nosniff"]
    assert answer.all("referrer-policy") == ["no-referrer"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.header("x-request-id"))
    for name, n in Counter(name for name, _ in answer.headers).items():
        # a challenge for each scheme that is taken (RFC9110-11.6.1)
        several = ("set-cookie", "vary", "www-authenticate")
        assert n == 1 or name in several, f"{name} came {n} times"
    if (answer.header("content-type") or "").startswith("text/html"):
        policy = answer.header("content-security-policy")
        assert "default-src 'none'" in policy
        assert "connect-src" not in policy  # no script fetches anything
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.header("x-frame-options") == "DENY"
        assert answer.header("cache-control") == "no-store"


def methods_of(path):
    if path in DOCUMENTS:
        return {"GET", "HEAD"}
    return set(ENDPOINTS[path].methods)


#: What a tenant offers by itself; what is switched off is not there, whatever the method.
OFFERED = [path for path, endpoint in ENDPOINTS.items() if endpoint.is_on(Features())]


@pytest.mark.parametrize("path", [*DOCUMENTS, *OFFERED])
def test_a_method_that_does_not_fit_is_told_which_do(product, acme, path):
    allowed = methods_of(path)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
        answer = ask(product.server, path, acme, method=method)
        assert answer.status == 405
        assert set(answer.header("allow").split(", ")) >= allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/sign-in", {"GET", "HEAD", "POST"}),
        ("/", {"GET", "HEAD"}),
        ("/sign-in/out", {"GET", "HEAD", "POST"}),
    ],
)
def test_pages_say_it_too(product, acme, path, allowed):
    answer = ask(product.server, path, acme, method="DELETE")

    assert answer.status == 405
    assert set(answer.header("allow").split(", ")) == allowed


def test_a_head_is_a_get_without_a_body(product, acme):
    for path in (*DOCUMENTS, "/nothing"):
        get = ask(product.server, path, acme)
        head = ask(product.server, path, acme, method="HEAD")
        assert (head.status, head.body) == (get.status, b"")
        assert head.header("content-type") == get.header("content-type")


@pytest.mark.spec("RFC9700-2.6")
@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/logout", "/sign-in", "/"])
def test_no_other_origin_may_read_a_page(product, acme, path):
    origin = ("Origin", "https://app.example")
    asking = ("Access-Control-Request-Method", "GET")

    for method, headers in (("OPTIONS", [origin, asking]), ("GET", [origin])):
        answer = ask(product.server, path, acme, method=method, headers=headers)
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


@pytest.mark.spec("RFC9700-4.3.2")
def test_a_token_in_an_address_is_refused(product, acme):
    answer = ask(product.server, "/oauth2/userinfo?access_token=ins_at_x", acme)

    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_request"


def test_an_unknown_resource_of_the_api_is_a_problem_document(product, acme):
    answer = ask(product.server, "/api/v1/anything", acme)

    assert answer.status == 404
    assert answer.header("content-type") == "application/problem+json"
    assert json.loads(answer.body)["code"] == "not_found"


def test_request_ids_differ(product, acme):
    ids = {ask(product.server, "/oauth2/jwks", acme).header("x-request-id") for _ in range(5)}

    assert len(ids) == 5


# --- the last resort, which no request reaches as long as nothing is broken


async def through_edge(app, path="/oauth2/token", *, headers=(), method="GET", received=()):
    """The answer of an edge around *app*."""
    waiting, sent = list(received), []

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": list(headers), "client": ("192.0.2.7", 4711),
    }  # fmt: skip
    await Edge(app, Rules(NOBODY))(scope, receive, send)
    start, *rest = sent
    return start["status"], dict(start["headers"]), b"".join(m.get("body", b"") for m in rest)


async def broken(_scope, _receive, _send):
    raise LookupError("select secret from insula.users")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/oauth2/token", b"application/json"),
        ("/api/v1/users", b"application/problem+json"),
        ("/sign-in", b"text/html; charset=utf-8"),
    ],
)
async def test_what_nobody_foresaw_is_a_reference(path, kind, capfd):
    status, headers, body = await through_edge(broken, path)

    assert (status, headers[b"content-type"]) == (500, kind)
    assert b"select" not in body
    assert b"LookupError" not in body
    assert headers[b"x-content-type-options"] == b"nosniff"
    if path != "/oauth2/token":
        assert headers[b"x-request-id"] in body
    log = capfd.readouterr()
    assert headers[b"x-request-id"].decode() in log.out + log.err


async def test_what_takes_too_long_is_told_to_try_again(monkeypatch):
    async def slow(_scope, _receive, _send):
        await asyncio.sleep(60)

    monkeypatch.setattr(edge, "_PATIENCE", 0.05)
    status, headers, body = await through_edge(slow, method="POST")

    assert status == 503
    assert int(headers[b"retry-after"]) > 0
    assert json.loads(body)["error"] == "temporarily_unavailable"


async def test_an_answer_that_has_begun_is_not_begun_again():
    async def half(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    status, _, body = await through_edge(half)

    assert (status, body) == (200, b"")


async def test_whoever_reads_on_beyond_the_limit_is_stopped():
    async def greedy(_scope, receive, _send):
        while True:
            await receive()

    piece = {"type": "http.request", "body": b"x" * 65536, "more_body": True}
    status, _, body = await through_edge(greedy, method="POST", received=[piece] * 10)

    assert status == 413
    assert json.loads(body)["error"] == "invalid_request"
