"""Clients register and manage themselves: what the engine decides (RFC 7591, RFC 7592)."""

import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, ISSUER, World, bearer, build, call

from insula.oidc.features.registration import MEMBERS
from insula.oidc.memory import Host
from insula.oidc.models import Features, Person

JSON = ("content-type", "application/json")
MINIMAL = {"redirect_uris": [CALLBACK]}
TOKEN = "ins_iat_" + "t" * 43


@pytest.fixture
def make(ring):
    """Make a world whose issuer registers clients as told; the token has five uses."""

    def made(**features):
        host = Host()
        host.registrations.tokens[TOKEN] = 5
        switches = Features(**{"registration": "token"} | features)
        provider = build(host, ring, features=switches)
        return World(host, provider, Person(uuid4(), {}))

    return made


@pytest.fixture
def world(make):
    return make()


@pytest.fixture
def open_world(make):
    return make(registration="open")


async def post(world, members, *, token=TOKEN, headers=(JSON,), query=b""):
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    sent = [*headers, *([bearer(token)] if token else [])]
    return await call(
        world.provider, "POST", "/oauth2/register", headers=sent, body=body, query=query
    )


async def register(world, **members):
    answer = await post(world, MINIMAL | members)
    assert answer.status == 201, answer.text
    return answer.json


async def at(world, client, method, *, token=None, client_id=None, members=None, headers=(JSON,)):
    """A request at a client's own address, by its own token unless another is given."""
    token = client["registration_access_token"] if token is None else token
    return await call(
        world.provider,
        method,
        f"/oauth2/register/{client_id or client['client_id']}",
        headers=[*headers, *([bearer(token)] if token else [])],
        body=b"" if members is None else json.dumps(members).encode(),
    )


# --- who may register


@pytest.mark.spec("RFC7591-3.1", "DR-1")
@pytest.mark.parametrize("path", ["/oauth2/register", "/oauth2/register/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_where_registration_is_off_there_is_nothing(make, path, method):
    world = make(registration="off")

    answer = await call(world.provider, method, path, headers=[JSON, bearer(TOKEN)], body=b"{}")

    assert answer.status == 404


@pytest.mark.spec("OIDCD-3", "DR-1")
@pytest.mark.parametrize(("registration", "is_there"), [("off", 0), ("token", 1), ("open", 1)])
async def test_the_metadata_names_it_where_it_is_on(make, registration, is_there):
    world = make(registration=registration)

    answer = await call(world.provider, "GET", "/.well-known/openid-configuration")

    expected = {"registration_endpoint": f"{ISSUER}/oauth2/register"} if is_there else {}
    assert {n: v for n, v in answer.json.items() if n == "registration_endpoint"} == expected


@pytest.mark.spec("RFC7591-3.1", "RFC6750-3", "DR-1")
async def test_without_a_token_one_is_asked_for(world):
    answer = await post(world, MINIMAL, token=None)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="registration"'
    assert answer.body == b""


@pytest.mark.spec("RFC7591-3.1", "RFC6750-3.1", "DR-1", "DR-2")
@pytest.mark.parametrize("registration", ["token", "open"])
async def test_a_token_that_is_none_is_refused_whoever_else_may_register(make, registration):
    world = make(registration=registration)

    answer = await post(world, MINIMAL, token="ins_iat_" + "x" * 43)

    assert answer.status == 401
    assert answer.json["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert 'realm="registration"' in answer.headers["www-authenticate"]
    assert not world.host.registrations.kept


@pytest.mark.spec("RFC7591-3", "DR-1")
async def test_where_it_is_open_nothing_is_needed_and_a_token_still_counts(open_world):
    assert (await post(open_world, MINIMAL, token=None)).status == 201
    assert (await post(open_world, MINIMAL)).status == 201
    assert open_world.host.registrations.tokens[TOKEN] == 4


@pytest.mark.spec("RFC6750-2", "DR-2")
async def test_a_token_is_read_in_the_header_alone(open_world):
    in_address = await post(open_world, MINIMAL, token=None, query=b"access_token=x")
    twice = await post(open_world, MINIMAL, headers=(JSON, bearer(TOKEN)))
    strange = await post(open_world, MINIMAL, token="a b")  # noqa: S106

    for answer in (in_address, twice, strange):
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert not open_world.host.registrations.kept


@pytest.mark.spec("RFC6749-4.1.2.1", "DR-1")
async def test_a_full_house_says_when_to_come_back(world):
    world.host.registrations.most = 0

    answer = await post(world, MINIMAL)

    assert answer.status == 429
    assert answer.headers["retry-after"] == "60"
    assert world.host.registrations.tokens[TOKEN] == 5


async def test_nothing_is_told_while_the_host_is_away(world):
    world.host.wire.is_cut = True

    answer = await post(world, MINIMAL)

    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "7"


# --- what is asked and answered


@pytest.mark.spec("RFC7591-3.2.1", "OIDCR-3.2", "RFC7592-3", "DR-9")
async def test_the_answer_says_what_is_needed_from_now_on(world):
    answer = await post(world, MINIMAL | {"client_name": "Reports"})

    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    says = answer.json
    assert says["client_secret"].startswith("ins_cs_")
    assert says["client_secret_expires_at"] == 0
    assert says["registration_access_token"].startswith("ins_rat_")
    assert says["registration_client_uri"] == f"{ISSUER}/oauth2/register/{says['client_id']}"
    assert isinstance(says["client_id_issued_at"], int)
    assert (says["client_name"], says["redirect_uris"]) == ("Reports", [CALLBACK])


@pytest.mark.spec("RFC7591-3.2.1", "DR-9")
async def test_a_client_without_a_secret_is_told_of_none(world):
    says = await register(world, token_endpoint_auth_method="none")  # noqa: S106

    assert not {"client_secret", "client_secret_expires_at"} & says.keys()


@pytest.mark.spec("RFC7591-2", "OIDCR-2", "DR-3", "DR-18")
@pytest.mark.parametrize(
    "name",
    ["consent", "profile", "tenant_id", "verified", "owner", "introspects_others", "resources",
     "exchange_policies", "skip_consent", "client_name#de", "x", "contacts"],
)  # fmt: skip
async def test_what_is_not_understood_or_not_a_clients_to_say_is_left_out(world, name):
    says = await register(world, **{name: "skip"})

    assert name not in says
    assert name not in world.host.registrations.kept[says["client_id"]].client.members


@pytest.mark.spec("RFC7592-2.2", "DR-3")
@pytest.mark.parametrize("value", [None, ""])
async def test_a_member_without_a_value_is_absent(world, value):
    says = await register(world, client_name=value, logo_uri=value)

    assert not {"client_name", "logo_uri"} & says.keys()


WRONG = {"a text": 7, "a list of texts": [7], "true or false": "true", "an object": [],
         "a number of seconds": "7"}  # fmt: skip


@pytest.mark.spec("RFC7591-3.2.2", "DR-3")
@pytest.mark.parametrize("name", sorted(MEMBERS))
async def test_a_member_of_another_kind_is_refused(world, name):
    sentence = MEMBERS[name][1]
    wrong = WRONG[sentence.removeprefix(f"{name} must be ")]

    answer = await post(world, MINIMAL | {name: wrong})

    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")
    assert answer.json["error_description"] == sentence
    assert world.host.registrations.tokens[TOKEN] == 5


@pytest.mark.parametrize("age", [-1, True, 2**31, 1.5])
async def test_an_age_is_a_number_of_seconds(world, age):
    answer = await post(world, MINIMAL | {"default_max_age": age})

    assert answer.json["error"] == "invalid_client_metadata"


@pytest.mark.spec("RFC7591-3.1", "DR-3")
@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b'"x"', b"null", b"7", b'{"a": 1, "a": 2}', b"\xff{}", b'{"a": NaN}',
        b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}", b"[" * 30000,
        b'{"a":' * 9 + b"1" + b"}" * 9, b'{"client_name": "\\ud800"}',
        b'{"client_name": "\\u0000"}', b'{"\\u0000": 1}', b'{"a": 1} x',
        b'{"jwks": {"keys": [{"kid": "\\udfff"}]}}',
    ],
)  # fmt: skip
async def test_a_body_that_is_no_plain_object_is_refused(world, body):
    answer = await post(world, body)

    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.spec("RFC7591-3.1")
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", ""]
)
async def test_another_content_type_is_refused(world, content_type):
    made = await register(world)

    answers = [
        await post(world, MINIMAL, headers=[("content-type", content_type)]),
        await at(world, made, "PUT", members={}, headers=[("content-type", content_type)]),
    ]

    for answer in answers:
        assert (answer.status, answer.json["error"]) == (415, "invalid_request")


async def test_the_content_type_may_have_parameters(world):
    headers = [("content-type", "Application/JSON; charset=utf-8")]
    assert (await post(world, MINIMAL, headers=headers)).status == 201


@pytest.mark.spec("security row 104")
async def test_a_large_body_is_refused(world):
    answer = await post(world, MINIMAL | {"x": "x" * 65536})

    assert (answer.status, answer.json["error"]) == (413, "invalid_request")


@pytest.mark.spec("RFC9110-15.5.6")
async def test_other_methods_are_refused(world):
    made = await register(world)

    at_all = await call(world.provider, "GET", "/oauth2/register")
    at_one = await at(world, made, "POST", members={})

    assert (at_all.status, at_all.headers["allow"]) == (405, "POST")
    assert (at_one.status, at_one.headers["allow"]) == (405, "DELETE, GET, PUT")


@pytest.mark.parametrize("path", ["/oauth2/register/", "/oauth2/register/a/b", "/oauth2/token/x"])
async def test_there_is_nothing_beside_it(world, path):
    answer = await call(world.provider, "GET", path, headers=[bearer(TOKEN)])

    assert answer.status == 404


# --- what the issuer offers to nobody


@pytest.mark.spec("RFC7591-2.1", "OIDCR-2", "DR-5", "CA-5")
@pytest.mark.parametrize(
    "members",
    [
        {"grant_types": ["password"]},
        {"grant_types": ["implicit"]},
        {"response_types": ["token"]},
        {"response_types": ["id_token"]},
        {"response_types": ["code token"]},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"userinfo_signed_response_alg": "none"},
        {"request_object_signing_alg": "none"},
        {"request_object_signing_alg": "HS256"},
        {"token_endpoint_auth_signing_alg": "HS256"},
    ],
    ids=str,
)
async def test_what_nobody_is_offered_is_refused(world, members):
    answer = await post(world, MINIMAL | members)

    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.spec("OAuth2-RT-3", "DR-5")
async def test_tokens_of_the_front_channel_are_offered_where_they_are_on(make):
    world = make(front_channel_tokens=True)

    says = await register(
        world, grant_types=["implicit"], response_types=["id_token", "token id_token"]
    )

    assert says["grant_types"] == ["implicit"]


@pytest.mark.spec("RFC7591-2.3", "DR-14")
async def test_a_software_statement_is_refused_rather_than_ignored(world):
    answer = await post(world, MINIMAL | {"software_statement": "e30.e30."})

    assert (answer.status, answer.json["error"]) == (400, "invalid_software_statement")


@pytest.mark.spec("OIDCC-10.2", "JARM-3", "ID-5", "RM-6")
@pytest.mark.parametrize(
    "name",
    [
        *(f"{what}_encrypted_response_alg" for what in ("authorization", "id_token", "userinfo")),
        *(f"{what}_encrypted_response_enc" for what in ("authorization", "id_token", "userinfo")),
        "authorization_signed_response_alg",
    ],
)
async def test_whoever_wants_it_sealed_is_refused_rather_than_told_in_the_clear(world, name):
    kept = await register(world)
    wanted = MINIMAL | {name: "RSA-OAEP-256"}

    answers = [
        await post(world, wanted),
        await at(world, kept, "PUT", members=wanted | {"client_id": kept["client_id"]}),
    ]

    for answer in answers:
        assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")
        assert name in answer.json["error_description"]
    assert (await post(world, MINIMAL | {name: None})).status == 201


# --- managing


@pytest.mark.spec("RFC7592-2.1", "RFC7592-3", "OIDCR-4.2", "DR-10")
async def test_a_client_reads_itself_without_its_secret_and_with_the_same_token(world):
    made = await register(world, client_name="Reports")

    answer = await at(world, made, "GET")

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    once = {"client_secret", "client_secret_expires_at"}
    assert answer.json == {name: value for name, value in made.items() if name not in once}
    assert (await at(world, made, "GET")).status == 200


@pytest.mark.spec("RFC7592-2.1", "RFC7592-2.2", "RFC7592-2.3", "DR-10")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_wrong_token_and_an_unknown_client_are_the_same(world, method):
    one, other = await register(world), await register(world)
    members = MINIMAL | {"client_id": one["client_id"]}

    wrong = await at(world, one, method, token="ins_rat_x", members=members)  # noqa: S106
    foreign = await at(
        world, one, method, token=other["registration_access_token"], members=members
    )
    initial = await at(world, one, method, token=TOKEN, members=members)
    unknown = await at(world, one, method, client_id="ins_cl_x", members=members)

    assert wrong.status == 401
    assert wrong.json["error"] == "invalid_token"
    for answer in (foreign, initial, unknown):
        assert (answer.status, answer.raw_headers, answer.body) == (
            wrong.status, wrong.raw_headers, wrong.body,
        )  # fmt: skip
    assert (await at(world, one, "GET")).status == 200


@pytest.mark.spec("RFC6750-3", "DR-10")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_without_a_token_a_client_is_not_managed(world, method):
    answer = await at(world, await register(world), method, token="")

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="registration"'


@pytest.mark.spec("RFC7592-2.2", "DR-11")
async def test_a_replacement_replaces_all_and_the_token(world):
    made = await register(world, client_name="Reports", policy_uri="https://app.example/p")
    members = MINIMAL | {"client_id": made["client_id"], "client_secret": made["client_secret"]}

    answer = await at(world, made, "PUT", members=members | {"client_name": "Other"})

    assert answer.status == 200
    assert answer.json["client_name"] == "Other"
    assert "policy_uri" not in answer.json
    assert answer.json["registration_access_token"] != made["registration_access_token"]
    assert (await at(world, made, "GET")).status == 401
    assert (await at(world, answer.json, "GET")).status == 200


@pytest.mark.spec("RFC7592-2.2", "DR-11")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "other"},
        {"client_id": 7},
        {"registration_access_token": "x"},
        {"registration_client_uri": "x"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
        {"client_secret": "wrong"},
        {"client_secret": 7},
        {"grant_types": ["password"]},
        {"redirect_uris": CALLBACK},
    ],
    ids=str,
)
async def test_a_replacement_that_holds_what_it_must_not_changes_nothing(world, changes):
    made = await register(world, client_name="Reports")
    before = (await at(world, made, "GET")).json

    answer = await at(
        world, made, "PUT", members=MINIMAL | {"client_id": made["client_id"]} | changes
    )

    assert (answer.status, answer.json["error"]) == (400, "invalid_client_metadata")
    assert (await at(world, made, "GET")).json == before


@pytest.mark.spec("RFC7592-2.2", "DR-11")
async def test_whoever_needs_a_secret_from_now_on_gets_one(world):
    made = await register(world, token_endpoint_auth_method="none")  # noqa: S106
    members = MINIMAL | {"client_id": made["client_id"]}

    answer = await at(world, made, "PUT", members=members)

    assert answer.json["client_secret"].startswith("ins_cs_")


@pytest.mark.spec("RFC7592-2.3", "DR-12")
async def test_a_client_deletes_itself(world):
    made = await register(world)

    answer = await at(world, made, "DELETE")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert (await at(world, made, "GET")).status == 401


@pytest.mark.spec("RFC7592-2.3", "DR-12")
async def test_where_that_is_off_it_stays(make):
    world = make(registration_delete=False)
    made = await register(world)

    answer = await at(world, made, "DELETE")

    assert (answer.status, answer.json["error"]) == (403, "access_denied")
    assert (await at(world, made, "GET")).status == 200


@pytest.mark.spec("RFC7592-3", "DR-13")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_an_administrator_took_over_only_reads_itself(world, method):
    made = await register(world)
    world.host.registrations.adopt(made["client_id"])

    answer = await at(world, made, method, members=MINIMAL | {"client_id": made["client_id"]})

    assert (answer.status, answer.json["error"]) == (403, "access_denied")
    assert (await at(world, made, "GET")).status == 200


# --- whatever comes

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(st.sampled_from(sorted(MEMBERS)) | st.text(max_size=8), _VALUES)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=_VALUES | _OBJECTS)
async def test_no_json_makes_the_engine_fail(open_world, members):
    open_world.host.registrations.most = 10**6

    answer = await post(open_world, json.dumps(members).encode(), token=None)

    assert answer.status in {201, 400}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
async def test_no_bytes_make_the_engine_fail(open_world, body):
    assert (await post(open_world, body, token=None)).status in {201, 400}
