"""How much a request may be, and how it must be framed."""

import json

import pytest
from raw_http import ask, request, send

FORM = ("Content-Type", "application/x-www-form-urlencoded")
KB = 1024


@pytest.fixture
def acme(product):
    return product.server.host("acme").encode()


def post(product, acme, body, *, path="/oauth2/token", headers=()):
    sent = [FORM, ("Content-Length", str(len(body))), *headers]
    return ask(product.server, path, acme, method="POST", headers=sent, body=body)


def error_of(answer):
    return answer.status, json.loads(answer.body)["error"]


def chunked(product, acme, chunks, path="/oauth2/token"):
    head = request(path, acme, method="POST", headers=[FORM, ("Transfer-Encoding", "chunked")])
    pieces = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return send(product.server, head, *pieces, b"0\r\n\r\n")


# --- sizes


def test_64_kilobytes_are_read(product, acme):
    fields = [b"a%d=%s" % (n, b"x" * 7000) for n in range(9)]

    answer = post(product, acme, b"&".join(fields))

    assert error_of(answer) == (400, "invalid_request")
    assert "grant_type" in answer.text


@pytest.mark.spec("PAR-2.3", "PA-4")
@pytest.mark.parametrize(
    "path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/userinfo", "/oauth2/par"]
)
def test_one_more_is_too_large(product, acme, path):
    answer = post(product, acme, b"a=" + b"x" * (64 * KB - 1), path=path)

    assert error_of(answer) == (413, "invalid_request")


@pytest.mark.parametrize("path", ["/sign-in", "/oauth2/authorize"])
def test_pages_say_so_too(product, acme, path):
    answer = post(product, acme, b"a=" + b"x" * (64 * KB), path=path)

    assert answer.status == 413
    assert answer.header("content-type").startswith("text/html")


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/authorize", "/sign-in"])
def test_a_body_that_does_not_say_its_length_is_counted(product, acme, path):
    answer = chunked(product, acme, [b"a=" + b"x" * KB] * 70, path)

    assert answer.status == 413
    assert error_of(chunked(product, acme, [b"grant_type=x"])) == (400, "unsupported_grant_type")


def test_a_length_is_refused_before_the_body_comes(product, acme):
    head = request(
        "/oauth2/token", acme, method="POST", headers=[FORM, ("Content-Length", str(10**9))]
    )

    assert send(product.server, head).status == 413


def test_a_hundred_fields_are_read_and_no_more(product, acme):
    def fields(n):
        return b"&".join(b"f%d=1" % i for i in range(n))

    assert "grant_type" in post(product, acme, fields(100)).text
    answer = post(product, acme, fields(101))

    assert error_of(answer) == (400, "invalid_request")
    assert "100 parameters" in answer.text


def test_a_parameter_of_8_kilobytes_is_read_and_no_longer_one(product, acme):
    assert "grant_type" in post(product, acme, b"a=" + b"x" * (8 * KB)).text

    answer = post(product, acme, b"a=" + b"x" * (8 * KB + 1))

    assert error_of(answer) == (400, "invalid_request")
    assert "8 KB" in answer.text


def test_headers_of_16_kilobytes_are_read_and_no_more(product, acme):
    def with_headers(size):
        padding = [(f"X-Padding-{n}", "x" * KB) for n in range(size)]
        return ask(product.server, "/oauth2/jwks", acme, headers=padding).status

    assert with_headers(15) == 200
    assert with_headers(17) == 431


def test_many_small_headers_count_as_much(product, acme):
    headers = [(f"X{n}", "y") for n in range(2000)]

    assert ask(product.server, "/oauth2/jwks", acme, headers=headers).status == 431


def test_an_endless_line_ends(product):
    answer = send(product.server, b"GET /" + b"a" * (256 * KB), b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer is None or answer.status in (400, 404, 414, 431)


def test_a_token_beyond_any_of_ours_is_none(product, acme):
    headers = [("Authorization", f"Bearer {'a.b.' + 'c' * 14 * KB}")]

    assert ask(product.server, "/oauth2/userinfo", acme, headers=headers).status == 401


# --- framing


GOOD = b"grant_type=client_credentials"


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 29", b"Content-Length: 28"],
        [b"Content-Length: 29", b"Content-Length: 29"],
        [b"Content-Length: 29, 28"],
        [b"Content-Length: -1"],
        [b"Content-Length: +29"],
        [b"Content-Length: 0x1d"],
        [b"Content-Length: 2 9"],
        [b"Content-Length:"],
        [b"Content-Length: 99999999999999999999999999"],
        [b"Content-Length: 29", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 29"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding : chunked"],
        [b"Content-Length : 29"],
    ],
    ids=lambda lines: b" | ".join(lines).decode(),
)
def test_a_body_whose_end_is_disputed_is_refused(product, acme, lines):
    head = b"\r\n".join(
        [
            b"POST /oauth2/token HTTP/1.1",
            b"Host: " + acme,
            b"Content-Type: " + FORM[1].encode(),
            *lines,
        ]
    )

    answer = send(product.server, head + b"\r\n\r\n" + GOOD)

    assert answer is None or answer.status in (400, 413)
    assert answer is None or b"invalid_client" not in answer.body  # it was not read as a request


@pytest.mark.parametrize(
    "head",
    [
        b"GET /oauth2/jwks HTTP/1.1\nHost: %s\n\n",
        b"GET /oauth2/jwks HTTP/1.1\r\nHost: %s\r\n X-Folded: yes\r\n\r\n",
        b"GET /oauth2/jwks HTTP/1.1\r\nHost: %s\r\nX-A: b\rX-C: d\r\n\r\n",
        b"GET /oauth2/jwks HTTP/1.1\r\nHost: %s\r\nX-A: b\x00c\r\n\r\n",
        b"GET /oauth2/jwks HTTP/1.1\r\nHost: %s\r\nX A: b\r\n\r\n",
        b"GET /oauth2/jwks HTTP/2.0\r\nHost: %s\r\n\r\n",
        b"GET /oauth2/jwks HTTP/1.2\r\nHost: %s\r\n\r\n",
        b"G\x01T /oauth2/jwks HTTP/1.1\r\nHost: %s\r\n\r\n",
        b"GET /oauth2/jwks\r\nHost: %s\r\n\r\n",
    ],
)
def test_a_head_that_is_not_well_formed_is_refused(product, acme, head):
    answer = send(product.server, head % acme)

    assert answer is None or answer.status == 400


def test_a_connection_is_not_turned_into_something_else(product, acme):
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
    answer = send(product.server, request("/", acme, headers=headers))

    assert answer is None or answer.status != 101


def test_a_caller_that_leaves_in_the_middle_harms_nobody(product, acme):
    head = request("/oauth2/token", acme, method="POST", headers=[FORM, ("Content-Length", "100")])
    for _ in range(5):
        send(product.server, head + b"grant_type=", close=False)

    assert ask(product.server, "/oauth2/jwks", acme).status == 200
