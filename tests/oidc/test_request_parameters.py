"""What a request may hold: protocol.md 0, rules 3, 4 and 7."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oidc_world import FORM, basic, call

from insula.oidc.errors import InvalidRequest
from insula.oidc.http import MAX_BODY, MAX_FIELDS, MAX_PARAMETER, read_pairs
from insula.oidc.jose import MAX_TOKEN
from insula.oidc.request import Parameters

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
pairs = st.lists(st.tuples(texts, texts), max_size=20)


@given(pairs)
def test_what_a_form_encodes_is_read_back(sent):
    assert read_pairs(urlencode(sent).encode()) == sent


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw):
    try:
        read = read_pairs(raw)
    except InvalidRequest:
        return

    assert all("\0" not in name + value for name, value in read)


@given(pairs)
def test_a_parameter_is_kept_exactly_when_it_was_sent_once_and_not_empty(sent):
    names = [name for name, _ in sent]

    kept = Parameters(sent)

    assert dict(kept) == {n: v for n, v in sent if v and names.count(n) == 1}
    assert kept.repeated == {n for n in names if names.count(n) > 1} - {"resource", "audience"}


@pytest.mark.spec("RFC6749-3.1")
def test_an_empty_value_is_an_absent_one():
    assert dict(Parameters([("state", ""), ("scope", "openid")])) == {"scope": "openid"}


@pytest.mark.spec("RFC6749-3.1")
def test_a_name_is_repeated_even_when_one_of_its_values_is_empty():
    assert Parameters([("state", ""), ("state", "x")]).repeated == {"state"}


@pytest.mark.spec("RFC8707-2")
def test_resources_may_be_repeated():
    assert not Parameters([("resource", "https://a"), ("resource", "https://b")]).repeated


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a=%", "percent"),
        (b"a=%4", "percent"),
        (b"a=%zz", "percent"),
        (b"a=%ff", "UTF-8"),
        (b"a=\xc3", "UTF-8"),
        (b"a=%ed%a0%80", "UTF-8"),
        (b"a=x%00y", "U.0000"),
        (b"%00=x", "U.0000"),
    ],
)
def test_what_is_not_well_formed_is_refused_and_not_repaired(raw, said):
    with pytest.raises(InvalidRequest, match=said):
        read_pairs(raw)


def test_a_hundred_fields_are_read_and_one_more_is_refused():
    assert len(read_pairs(b"&".join(b"a=1" for _ in range(MAX_FIELDS)))) == MAX_FIELDS
    with pytest.raises(InvalidRequest, match="100"):
        read_pairs(b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1)))


def test_a_parameter_has_8_kb_after_decoding():
    assert read_pairs(b"a=" + b"%41" * MAX_PARAMETER)[0][1] == "A" * MAX_PARAMETER
    with pytest.raises(InvalidRequest, match="8 KB"):
        read_pairs(b"a=" + b"%41" * (MAX_PARAMETER + 1))


@pytest.mark.spec("security 104")
@pytest.mark.parametrize("name", ["request", "client_assertion", "subject_token", "id_token_hint"])
def test_a_parameter_that_holds_a_signed_object_has_16_kb(name):
    whole = name.encode() + b"=" + b"A" * MAX_TOKEN

    assert read_pairs(whole) == [(name, "A" * MAX_TOKEN)]
    with pytest.raises(InvalidRequest, match="16 KB"):
        read_pairs(whole + b"A")


def test_fields_without_a_value_or_a_name_are_no_trouble():
    assert read_pairs(b"a&=b&&c=") == [("a", ""), ("", "b"), ("c", "")]


async def post(world, client, body, *headers, chunks=None, query=b""):
    return await call(
        world.provider,
        "POST",
        "/oauth2/token",
        headers=[basic(client.client_id), *headers],
        body=body,
        chunks=chunks,
        query=query,
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "", None],
)
async def test_a_body_that_is_not_a_form_is_refused(world, web, content_type):
    headers = [] if content_type is None else [("content-type", content_type)]

    answer = await post(world, web, b"grant_type=client_credentials", *headers)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_a_form_may_name_its_charset(world, web):
    form = ("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")

    assert (await post(world, web, b"grant_type=client_credentials", form)).status == 200


async def test_a_body_may_come_in_pieces(world, web):
    answer = await post(world, web, b"", FORM, chunks=[b"grant_type=client", b"", b"_credentials"])

    assert answer.status == 200


async def test_a_body_above_64_kb_is_refused_before_it_ends(world, web):
    endless = [b"x" * 1000] * (MAX_BODY // 1000 + 2)

    answer = await post(world, web, b"", FORM, chunks=endless)

    assert (answer.status, answer.json["error"]) == (413, "invalid_request")


async def test_a_body_that_breaks_off_is_refused(world, web):
    answer = await post(world, web, b"", FORM, chunks=[])

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC6749-3.2", "TK-1")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"client_secret=x", b"grant_type=client_credentials"),
        (b"code=x", b"grant_type=client_credentials"),
        (b"refresh_token=x", b"grant_type=client_credentials"),
        (b"token=x", b"grant_type=client_credentials"),
        (b"grant_type=client_credentials", b"grant_type=client_credentials"),
        (b"", b"grant_type=client_credentials&grant_type=client_credentials"),
        (b"", b"grant_type=client_credentials&scope=&scope=api%3Aread"),
    ],
)
async def test_credentials_in_the_address_and_doubles_are_refused(world, web, query, body):
    answer = await post(world, web, body, FORM, query=query)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_unknown_parameters_are_ignored_wherever_they_are(world, web):
    answer = await post(world, web, b"grant_type=client_credentials&foo=1", FORM, query=b"bar=2")

    assert answer.status == 200


async def test_parameters_that_stand_only_in_the_address_are_not_read(world, web):
    answer = await post(world, web, b"foo=1", FORM, query=b"grant_type=client_credentials")

    assert answer.json["error"] == "invalid_request"


async def test_a_cookie_that_was_sent_twice_is_nobodys(world, web):
    browser = world.signed_in()
    cookie = browser.cookies["session"]
    once, twice = f"session={cookie}", f"session={cookie}; session=other"

    params = world.request(web)
    good = await browser.go("/oauth2/authorize", params, headers=[("cookie", once)], cookies=False)
    tossed = await browser.go(
        "/oauth2/authorize", params, headers=[("cookie", twice)], cookies=False
    )
    split = await browser.go(
        "/oauth2/authorize",
        params,
        headers=[("cookie", once), ("cookie", "a=b; junk; session=x; session=y")],
        cookies=False,
    )

    assert "code" in good.fields
    assert world.txn(tossed)
    assert world.txn(split)
