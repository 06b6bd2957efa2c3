"""Authorization requests that their client signed: OIDCC-6, RFC 9101 (JR-1 to JR-8, JR-10)."""

from uuid import uuid4

import jwt as pyjwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, ISSUER, build
from proofs import assertion
from signed import Key, compact, without
from test_authorize_errors import is_page, is_told

from insula.kernel import clock
from insula.oidc.jose import CLIENT_ALGORITHMS
from insula.oidc.models import Features

KEYS = {alg: Key(alg, alg) for alg in CLIENT_ALGORITHMS}
REFERENCE = "https://app.example/request.jwt#v1"


def register(world, profile="standard", **changes):
    jwks = tuple(key.jwk for key in KEYS.values())
    return world.client(**{"jwks": jwks, "profile": profile} | changes)


@pytest.fixture(params=["oauth21", "standard"])
def client(world, request):
    return register(world, request.param)


def signed(world, client, by="ES256", *, header=None, **changes):
    """A good request object, but for *changes*; what is `...` is left out."""
    now = int(clock.now())
    claims = world.request(client) | {
        "iss": client.client_id,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": uuid4().hex,
    }
    return KEYS[by].sign(without(claims, changes), **header or {})


def outside(client):
    """What OpenID Connect wants beside the object, and where a refusal may go."""
    said = {"client_id": client.client_id, "response_type": "code", "scope": "openid"}
    return said | {"redirect_uri": CALLBACK}


async def send(world, client, token, browser=None, **changes):
    params = without(outside(client) | {"request": token}, changes)
    return await (browser or world.signed_in()).go("/oauth2/authorize", params)


def is_answered(answer, **fields):
    assert answer.status == 303, answer.text
    assert "code" in answer.fields, answer.location
    assert answer.location.startswith(CALLBACK)
    assert answer.fields["state"] == fields.get("state", "xyz")
    return True


def is_refused(answer, error="invalid_request_object"):
    """R(x); the state inside an object that is refused counts for nothing."""
    return is_told(answer, error, state=None)


# --- the signature ------------------------------------------------------------------------


@pytest.mark.spec("JAR-4", "OIDCC-6.1", "JR-1")
@pytest.mark.parametrize("alg", CLIENT_ALGORITHMS)
async def test_a_signed_request_is_answered(world, client, alg):
    assert is_answered(await send(world, client, signed(world, client, alg)))


@pytest.mark.spec("RFC9396-3", "RA-1")
async def test_what_is_refused_outside_is_refused_inside(world, client):
    token = signed(world, client, authorization_details=[{"type": "payment"}])

    assert is_told(await send(world, client, token), "invalid_authorization_details")


@pytest.mark.spec("JAR-4", "JR-1")
@pytest.mark.parametrize("alg", CLIENT_ALGORITHMS)
async def test_only_the_registered_algorithm_where_one_is(world, alg):
    client = register(world, request_object_signing_alg=alg)
    answers = {by: await send(world, client, signed(world, client, by)) for by in KEYS}

    assert is_answered(answers.pop(alg))
    assert all(is_refused(answer) for answer in answers.values())


@pytest.mark.spec("JAR-4", "RFC8725-3.1", "JR-1")
@pytest.mark.parametrize("alg", ["none", "None", "HS256", "ES384", "", None])
async def test_no_other_algorithm_is_accepted(world, client, alg):
    _, claims, signature = signed(world, client).split(".")
    header = compact({"alg": alg, "kid": "ES256"}, {}).split(".")[0]

    for forged in (f"{header}.{claims}.{signature}", f"{header}.{claims}."):
        assert is_refused(await send(world, client, forged))


@pytest.mark.spec("JAR-4", "JR-1")
async def test_only_a_key_of_the_client_counts(world, client):
    stranger = Key(kid="ES256")
    claims = world.request(client) | {"iss": client.client_id, "aud": ISSUER}
    for forged in (
        stranger.sign(claims),
        stranger.sign(claims, jwk=stranger.members),
        stranger.sign(claims, jku="https://evil.example/jwks", kid=...),
        signed(world, client, header={"kid": "unknown"}),
        signed(world, client, header={"crit": ["exp"]}),
    ):
        assert is_refused(await send(world, client, forged))


@pytest.mark.spec("JAR-4", "JR-1")
async def test_keys_at_an_address_may_be_away(world):
    client = register(world, jwks=(), jwks_uri="https://app.example/jwks")
    assert is_refused(await send(world, client, signed(world, client)))

    world.host.clients.served[client.jwks_uri] = [KEYS["ES256"].jwk]
    assert is_answered(await send(world, client, signed(world, client)))


@pytest.mark.spec("AZ-11", "JR-1")
async def test_a_refusal_is_shown_and_not_sent_while_nobody_is_signed_in(world, client):
    assert is_page(await send(world, client, "garbage", world.browser()))


# --- by reference -------------------------------------------------------------------------


async def refer(world, client, uri=REFERENCE, **changes):
    return await send(world, client, ..., request_uri=uri, **changes)


@pytest.mark.spec("JAR-5.2", "OIDCC-6.2", "JR-2")
async def test_a_registered_reference_is_fetched(world):
    client = register(world, request_uris=frozenset({REFERENCE}))
    world.host.requests.pages["https://app.example/request.jwt"] = signed(world, client).encode()

    assert is_answered(await refer(world, client))


@pytest.mark.spec("JAR-5.2", "OIDCC-6.2", "JR-2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/request.jwt",
        "https://app.example/request.jwt#v2",
        "https://app.example/request.jwt?x#v1",
        "https://APP.example/request.jwt#v1",
        "http://app.example/request.jwt#v1",
        "https://evil.example/",
        "file:///etc/passwd",
        "urn:x",
    ],
)
async def test_no_other_reference_is_even_looked_at(world, uri):
    client = register(world, request_uris=frozenset({REFERENCE}))

    answer, trips = await world.trips_of(refer(world, client, uri))

    assert is_refused(answer, "invalid_request_uri")
    assert "fetch" not in trips


@pytest.mark.spec("JAR-5.2", "OIDCC-6.2", "JR-2")
@pytest.mark.parametrize("body", [None, b"\xff\xfe", "ä".encode()])
async def test_what_cannot_be_had_is_refused(world, body):
    client = register(world, request_uris=frozenset({REFERENCE}))
    if body is not None:
        world.host.requests.pages["https://app.example/request.jwt"] = body

    assert is_refused(await refer(world, client), "invalid_request_uri")


@pytest.mark.spec("JAR-5.2", "JR-2")
async def test_what_is_had_and_is_no_object_is_refused_as_one(world):
    client = register(world, request_uris=frozenset({REFERENCE}))
    world.host.requests.pages["https://app.example/request.jwt"] = b"<html>"

    assert is_refused(await refer(world, client))


@pytest.mark.spec("OIDCC-3.1.2.6", "OIDCD-3", "JR-1", "JR-2")
async def test_where_they_are_off_they_are_not_supported(world, ring, client):
    world.provider = build(world.host, ring, features=Features(request_objects=False))

    by_value = await send(world, client, signed(world, client))
    assert is_refused(by_value, "request_not_supported")
    assert is_refused(await refer(world, client), "request_uri_not_supported")


# --- beside the object, and inside --------------------------------------------------------


@pytest.mark.spec("JAR-5", "JR-3")
async def test_value_and_reference_together_are_refused(world, client):
    answer = await send(
        world, client, signed(world, client), request_uri=REFERENCE, redirect_uri=CALLBACK
    )

    assert is_refused(answer, "invalid_request")


@pytest.mark.spec("JAR-5", "JR-3")
@pytest.mark.parametrize("member", ["request", "request_uri", "client_secret", "client_assertion"])
async def test_what_has_no_place_in_an_object(world, client, member):
    token = signed(world, client, **{member: "x"})

    assert is_refused(await send(world, client, token))


@pytest.mark.spec("JAR-5", "JR-3")
async def test_the_client_outside_and_inside_is_one(world, client):
    world.client("other")
    token = signed(world, client, client_id="other")

    assert is_refused(await send(world, client, token), "invalid_request")
    assert is_page(await send(world, client, signed(world, client), client_id=...))
    assert is_page(await send(world, client, signed(world, client), client_id="nobody"))


@pytest.mark.spec("OIDCC-6.1", "JR-3")
@pytest.mark.parametrize("changes", [{"response_type": ...}, {"scope": ...}, {"scope": "profile"}])
async def test_openid_connect_wants_its_parameters_outside_too(world, changes):
    for profile, is_strict in (("standard", True), ("oauth21", False)):
        client = register(world, profile)
        answer = await send(world, client, signed(world, client), **changes)
        assert is_refused(answer, "invalid_request") if is_strict else is_answered(answer)


@pytest.mark.spec("OIDCC-6.1", "JR-3")
async def test_the_response_type_inside_and_outside_is_one(world, client):
    token = signed(world, client, response_type="id_token")

    assert is_refused(await send(world, client, token), "invalid_request")


@pytest.mark.spec("JAR-6.3", "OIDCC-6.1", "JR-4")
async def test_inside_wins_and_outside_fills_the_gaps(world):
    client = register(world)
    token = signed(world, client, nonce=..., state=..., scope="openid email")
    answer = await send(world, client, token, state="outer", nonce="outer", scope="openid profile")

    assert is_answered(answer, state="outer")
    scope = (await world.redeem(client, answer.code)).json["scope"]
    assert set(scope.split()) == {"openid", "email"}


@pytest.mark.spec("JAR-6.3", "JR-4")
async def test_only_what_is_inside_counts(world):
    client = register(world, "oauth21")
    bare = dict.fromkeys(("code_challenge", "code_challenge_method"), ...)
    token = signed(world, client, state=..., **bare)
    pkce = {name: value for name, value in world.request(client).items() if name in bare}

    answer = await send(world, client, token, state="outer", **pkce)
    assert answer.fields["error"] == "invalid_request"  # no challenge inside
    assert "state" not in answer.fields

    answer = await send(world, client, signed(world, client, state="inner"), state="outer")
    assert is_answered(answer, state="inner")


@pytest.mark.spec("OIDCC-6.1", "JR-4")
@pytest.mark.parametrize("inside", ["state", "nonce"])
async def test_state_and_nonce_are_never_mixed(world, inside):
    client = register(world)
    other = {"state": "nonce", "nonce": "state"}[inside]
    token = signed(world, client, **{inside: "inner", other: ...})

    answer = await send(world, client, token, state="outer", nonce="outer")

    assert answer.fields.get("state") == ("inner" if inside == "state" else None)
    tokens = (await world.redeem(client, answer.code)).json
    says = pyjwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert says.get("nonce") == ("inner" if inside == "nonce" else None)


@pytest.mark.spec("OIDCC-6.1", "JR-4")
async def test_claims_and_numbers_keep_their_meaning(world, client):
    token = signed(world, client, claims={"id_token": {"auth_time": None}}, max_age=3600)

    answer = await send(world, client, token)

    assert is_answered(answer)
    assert "id_token" in (await world.redeem(client, answer.code)).json


@pytest.mark.parametrize("value", [1.5, True, [1], [["x"]]])
async def test_a_value_of_the_wrong_kind_is_refused(world, client, value):
    token = signed(world, client, prompt=value)

    assert is_refused(await send(world, client, token))


# --- whose it is, and for whom, and when --------------------------------------------------


@pytest.mark.spec("JAR-6.2", "JAR-4", "JR-5")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": 7},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": ISSUER + "/"},
        {"aud": ["https://other.example"]},
        {"aud": []},
        {"aud": 7},
        {"exp": 1},
        {"exp": "later"},
        {"nbf": 10**11},
        {"iat": 10**11},
    ],
    ids=repr,
)
async def test_each_claim_that_is_wrong(world, client, changes):
    token = signed(world, client, **changes)

    assert is_refused(await send(world, client, token))


@pytest.mark.spec("JAR-4", "JR-5")
@pytest.mark.parametrize("missing", ["iss", "aud"])
async def test_without_parties_it_is_refused_where_rfc_9101_rules(world, missing):
    """OpenID Connect only recommends them: docs/decisions/0021."""
    for profile, is_strict in (("oauth21", True), ("standard", False), ("legacy", False)):
        client = register(world, profile)
        answer = await send(world, client, signed(world, client, **{missing: ...}))
        assert is_refused(answer) if is_strict else is_answered(answer)


@pytest.mark.spec("JAR-6.2", "JR-5")
@pytest.mark.parametrize("aud", [ISSUER, [ISSUER], ["https://other.example", ISSUER]])
async def test_aud_may_be_a_list(world, client, aud):
    assert is_answered(await send(world, client, signed(world, client, aud=aud)))


@pytest.mark.spec("JAR-6.2", "JR-5")
@pytest.mark.parametrize(
    ("claim", "seconds", "accepted"),
    [("exp", -10, True), ("exp", -20, False), ("nbf", 10, True), ("nbf", 60, False)],
)
async def test_times_have_a_leeway_of_15_seconds(world, client, claim, seconds, accepted):
    token = signed(world, client, **{claim: clock.now() + seconds})

    answer = await send(world, client, token)

    assert is_answered(answer) if accepted else is_refused(answer)


@pytest.mark.spec("JAR-6.2", "JR-5")
async def test_it_need_not_end(world, client):
    assert is_answered(await send(world, client, signed(world, client, exp=..., iat=...)))


@pytest.mark.spec("RFC7519-4", "JR-5")
async def test_what_can_be_read_in_two_ways(world, client):
    text = '{"iss":"web","aud":"%s","exp":1,"exp":%d,"redirect_uri":"%s"}'
    header = '{"alg":"ES256","kid":"ES256"}'
    token = KEYS["ES256"].sign_text(header, text % (ISSUER, clock.now() + 60, CALLBACK))

    assert is_refused(await send(world, client, token))


@pytest.mark.spec("JAR-4", "JAR-10.8", "JR-6")
@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "JWT", "application/jwt", ...])
async def test_it_calls_itself_what_it_is(world, client, typ):
    assert is_answered(await send(world, client, signed(world, client, header={"typ": typ})))


@pytest.mark.spec("JAR-10.8", "RFC8725-3.11", "JR-6")
@pytest.mark.parametrize(
    "typ", ["at+jwt", "dpop+jwt", "logout+jwt", "client-authentication+jwt", "x", 7]
)
async def test_a_jwt_of_another_kind_is_none(world, client, typ):
    token = signed(world, client, header={"typ": typ})

    assert is_refused(await send(world, client, token))


@pytest.mark.spec("JAR-10.8", "JR-6")
async def test_a_client_assertion_is_no_request(world, client):
    token = signed(world, client, sub=client.client_id)
    assert is_refused(await send(world, client, token))
    token = assertion(KEYS["ES256"], client.client_id, redirect_uri=CALLBACK)
    assert is_refused(await send(world, client, token))

    assert is_answered(await send(world, client, signed(world, client, sub="somebody")))


# --- once ---------------------------------------------------------------------------------


@pytest.mark.spec("JR-7")
@pytest.mark.parametrize("jti", ["one", ...])
async def test_one_object_completes_one_authorization(world, client, jti):
    token = signed(world, client, jti=jti)

    assert is_answered(await send(world, client, token))
    again = await send(world, client, token)
    assert again.fields["error"] == "invalid_request_object"
    assert is_answered(await send(world, client, signed(world, client)))


@pytest.mark.spec("JR-7")
async def test_it_may_be_loaded_again_before_that(world, client):
    token, browser = signed(world, client), world.browser()
    first = await send(world, client, token, browser)
    second = await send(world, client, token, browser)
    browser.cookies["session"] = world.host.people.prove(world.txn(second), world.ada)

    assert is_answered(await browser.resume(world.txn(second)))
    answer = await send(world, client, token, browser)
    assert answer.fields["error"] == "invalid_request_object"
    assert world.txn(first) is not None


@pytest.mark.spec("JR-7")
async def test_a_refused_one_is_not_used_up(world, client):
    token, browser = signed(world, client, prompt="none"), world.browser()

    refused = await send(world, client, token, browser)
    assert refused.fields["error"] == "login_required"

    assert is_answered(await send(world, client, token))


# --- required -----------------------------------------------------------------------------


@pytest.mark.spec("JAR-10.5", "JR-8")
async def test_a_client_that_must_sign_has_no_plain_requests(world, client):
    strict = world.change(client, require_signed_request_object=True)

    assert is_told(await world.signed_in().authorize(strict), "invalid_request")
    assert is_page(await world.browser().authorize(strict))
    assert is_answered(await send(world, strict, signed(world, strict)))


@pytest.mark.spec("JAR-10.5", "PAR-3", "JR-8")
async def test_nor_can_it_push_one(world, client):
    strict = world.change(client, require_signed_request_object=True)

    plain = await world.post("/oauth2/par", strict, world.request(strict))
    assert (plain.status, plain.json["error"]) == (400, "invalid_request")

    pushed = await world.post("/oauth2/par", strict, {"request": signed(world, strict)})
    assert pushed.status == 201, pushed.text
    reference = {"client_id": strict.client_id, "request_uri": pushed.json["request_uri"]}
    assert is_answered(await world.signed_in().go("/oauth2/authorize", reference))


# --- where the answer goes ----------------------------------------------------------------


@pytest.mark.spec("OIDCC-6.1", "JR-10")
@pytest.mark.parametrize("outer", ["https://evil.example/cb", CALLBACK + "x", "", "javascript:0"])
async def test_the_redirect_uri_inside_is_the_one(world, client, outer):
    assert is_answered(await send(world, client, signed(world, client), redirect_uri=outer))


@pytest.mark.spec("OIDCC-6.1", "JR-10")
async def test_an_answer_never_leaves_for_the_one_outside(world, client):
    bad = "https://evil.example/cb"
    for token in (
        signed(world, client, redirect_uri=bad),
        signed(world, client, redirect_uri=..., state="inner"),
        "garbage",
        assertion(Key(), client.client_id),
    ):
        assert is_page(await send(world, client, token, redirect_uri=bad))
    inside = signed(world, client, redirect_uri=bad)
    assert is_page(await send(world, client, inside))


# --- what nobody sane sends ---------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = [
    *(
        "scope",
        "state",
        "nonce",
        "prompt",
        "max_age",
        "claims",
        "resource",
        "display",
        "acr_values",
    ),
    *("redirect_uri", "response_mode", "login_hint", "id_token_hint", "dpop_jkt", "acr_values"),
    *("iss", "aud", "exp", "iat", "nbf", "jti", "sub", "client_id", "response_type"),
]
HEADERS = st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jwk"]), anything)
STRANGE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.dictionaries(st.sampled_from(MEMBERS), anything))
@STRANGE
async def test_what_a_client_signed_may_be_garbage(world, client, members):
    token = signed(world, client, **members)

    answer = await send(world, client, token)

    assert answer.status in {303, 400}


@given(
    st.text(min_size=1, max_size=60)
    | st.binary(max_size=60).map(lambda raw: compact(raw, raw, raw))
    | st.builds(
        compact, st.dictionaries(st.sampled_from(["alg", "typ", "kid"]), anything), anything
    )
)
@STRANGE
async def test_garbage_is_refused_and_never_a_bug(world, client, token):
    answer = await send(world, client, token)

    assert answer.status in {303, 400}
    assert "code" not in (answer.fields if answer.status == 303 else {})
