"""Clients that prove themselves with a key: OIDCC-9, RFC 7523 (CA-2 to CA-5, CA-10, CA-11)."""

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, ISSUER, SECRET, basic
from proofs import PAR_URL, TOKEN_URL, assertion
from signed import BEARER_TYPE, Key, asserting, compact

from insula.kernel import clock
from insula.oidc.errors import Unreachable
from insula.oidc.jose import CLIENT_ALGORITHMS
from insula.oidc.memory import MAX_FAILURES

GRANT = {"grant_type": "client_credentials"}
KEYS = {alg: Key(alg) for alg in CLIENT_ALGORITHMS}


@pytest.fixture
def key():
    return KEYS["ES256"]


@pytest.fixture
def machine(world):
    return register(world)


def register(world, client_id="machine", keys=None, **changes):
    jwks = tuple(key.jwk | {"kid": key.alg} for key in keys or KEYS.values())
    changes = {"jwks": jwks} | changes
    method = {"token_endpoint_auth_method": "private_key_jwt"}
    return world.client(client_id, secret="", **method, **changes)


def by(alg, client_id="machine", *, header=None, **changes):
    """An assertion that is signed by the registered key of *alg*."""
    return assertion(KEYS[alg], client_id, header={"kid": alg} | (header or {}), **changes)


def prove(world, client, token, path="/oauth2/token", **more):
    return world.post(path, client, GRANT | asserting(token) | more)


def is_refused(answer):
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert "www-authenticate" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    return True


@pytest.mark.spec("OIDCC-9", "RFC7523-3", "CA-3")
@pytest.mark.parametrize("alg", CLIENT_ALGORITHMS)
async def test_a_client_proves_itself_with_a_key_of_its_own(world, machine, alg):
    assert (await prove(world, machine, by(alg))).status == 200


@pytest.mark.spec("RFC7521-4.2")
async def test_the_client_id_may_stand_beside_it(world, machine):
    assert (await prove(world, machine, by("ES256"), client_id="machine")).status == 200


@pytest.mark.spec("RFC6749-3.2.1", "CA-11")
async def test_the_client_id_beside_it_is_the_same_clients(world, machine):
    world.client("web")

    assert is_refused(await prove(world, machine, by("ES256"), client_id="web"))


@pytest.mark.spec("RFC7523-3", "CA-3")
@pytest.mark.parametrize(
    "aud", [ISSUER, TOKEN_URL, [ISSUER], [TOKEN_URL, "https://other.example"], [ISSUER, TOKEN_URL]]
)
async def test_it_is_for_this_issuer_or_its_token_endpoint(world, machine, aud):
    assert (await prove(world, machine, by("ES256", aud=aud))).status == 200


@pytest.mark.spec("PAR-2", "RFC7523-3", "CA-3")
@pytest.mark.parametrize("path", ["/oauth2/par", "/oauth2/introspect", "/oauth2/revoke"])
async def test_elsewhere_it_may_be_for_the_endpoint_itself(world, machine, path):
    request = world.request(machine) | {"token": "unknown"}
    for aud in (ISSUER, TOKEN_URL, ISSUER + path):
        proven = asserting(by("ES256", aud=aud))
        answer = await world.post(path, machine, request | proven)
        assert answer.status in {200, 201}, answer.text
        if path != "/oauth2/token" and aud == ISSUER + path:
            assert is_refused(await prove(world, machine, by("ES256", aud=aud)))


@pytest.mark.spec("RFC7523-3", "CA-3")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ...},
        {"aud": "https://other.example"},
        {"aud": ISSUER + "/"},
        {"aud": ISSUER.upper()},
        {"aud": ISSUER + "/oauth2/authorize"},
        {"aud": PAR_URL},
        {"aud": []},
        {"aud": [ISSUER, 7]},
        {"aud": {"iss": ISSUER}},
        {"iss": ...},
        {"iss": "web"},
        {"sub": ...},
        {"sub": "web"},
        {"sub": 7},
        {"sub": "", "iss": ""},
        {"jti": ...},
        {"jti": ""},
        {"jti": 7},
        {"exp": ...},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": "now"},
        {"nbf": "now"},
    ],
    ids=repr,
)
async def test_each_claim_that_is_wrong_or_missing(world, machine, changes):
    world.client("web")

    assert is_refused(await prove(world, machine, by("ES256", **changes)))


@pytest.mark.spec("RFC7523-3", "CA-3")
@pytest.mark.parametrize(
    ("claim", "seconds", "accepted"),
    [
        ("exp", -10, True),
        ("exp", -20, False),
        ("exp", 3595, True),
        ("exp", 3630, False),
        ("nbf", 10, True),
        ("nbf", 60, False),
        ("iat", 10, True),
        ("iat", 60, False),
        ("iat", -86400, True),
    ],
)
async def test_times_have_a_leeway_of_15_seconds(world, machine, claim, seconds, accepted):
    answer = await prove(world, machine, by("ES256", **{claim: clock.now() + seconds}))

    assert answer.status == 200 if accepted else is_refused(answer)


@pytest.mark.spec("RFC7519-4", "RFC7515-4")
@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ('{"alg":"ES256","alg":"ES256","kid":"ES256"}', None),
        (None, '{"exp":%d,"exp":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"1"}'),
        (
            None,
            '{"exp":NaN,"nbf":%d,"iat":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"1"}',
        ),
        (
            None,
            '{"exp":Infinity,"nbf":%d,"iat":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"1"}',
        ),
        (None, '{"exp":%d,"iat":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"\\ud800"}'),
        (None, '{"exp":%d,"iat":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"\\u0000"}'),
    ],
)
async def test_what_can_be_read_in_two_ways_or_in_none(world, machine, key, header, claims):
    """Signed for real, so that nothing but the text is wrong with it."""
    now = int(clock.now())
    good = '{"exp":%d,"iat":%d,"iss":"machine","sub":"machine","aud":"%s","jti":"1"}'
    tokens = [
        key.sign_text(header or '{"alg":"ES256","kid":"ES256"}', text % (now, now, ISSUER))
        for text in (claims or good, good)
    ]

    assert is_refused(await prove(world, machine, tokens[0]))
    if claims is not None:
        assert (await prove(world, machine, tokens[1])).status == 200


@pytest.mark.spec("RFC8725-3.11", "CA-3")
@pytest.mark.parametrize(
    "typ",
    [
        "dpop+jwt",
        "at+jwt",
        "application/at+jwt",
        "oauth-authz-req+jwt",
        "logout+jwt",
        "token-introspection+jwt",
        "secevent+JWT",
    ],
)
async def test_a_jwt_of_another_kind_is_no_assertion(world, machine, typ):
    assert is_refused(await prove(world, machine, by("ES256", header={"typ": typ})))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/jwt", "client-authentication+jwt", ...])
async def test_it_calls_itself_a_jwt_or_nothing(world, machine, typ):
    assert (await prove(world, machine, by("ES256", header={"typ": typ}))).status == 200


@pytest.mark.spec("RFC7521-4.2", "CA-3")
@pytest.mark.parametrize(
    "kind", [None, "", "jwt-bearer", BEARER_TYPE.upper(), BEARER_TYPE.replace("jwt", "saml2")]
)
async def test_the_type_of_an_assertion_is_that_of_a_jwt(world, machine, kind):
    token = by("ES256")

    assert is_refused(await prove(world, machine, token, client_assertion_type=kind))
    assert (await prove(world, machine, token)).status == 200  # and nothing was spent


@pytest.mark.spec("RFC7523-3", "CA-3")
@pytest.mark.parametrize("alg", CLIENT_ALGORITHMS)
async def test_only_the_registered_algorithm_where_one_is(world, alg):
    client = register(world, token_endpoint_auth_signing_alg=alg)

    answers = {each: await prove(world, client, by(each)) for each in CLIENT_ALGORITHMS}

    assert answers.pop(alg).status == 200
    assert all(is_refused(answer) for answer in answers.values())


@pytest.mark.spec("OIDCC-9", "RFC8725-3.1", "CA-5")
@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS384", "ES384", "RS1", "", 7, None])
async def test_no_other_algorithm_is_accepted(world, machine, alg):
    signed = by("ES256")
    _, claims, signature = signed.split(".")
    forged = compact({"alg": alg, "kid": "ES256"}, {}).split(".")[0]

    assert is_refused(await prove(world, machine, f"{forged}.{claims}.{signature}"))
    assert is_refused(await prove(world, machine, f"{forged}.{claims}."))


@pytest.mark.spec("RFC8725-2.1", "CA-5")
async def test_a_secret_is_no_key(world):
    """A MAC of a secret that both sides know is what `client_secret_jwt` would be."""
    client = world.client()
    claims = {"iss": "web", "sub": "web", "aud": ISSUER, "jti": "1", "exp": clock.now() + 60}
    token = pyjwt.encode(claims, SECRET, algorithm="HS256")

    assert is_refused(await world.token(client, headers=[], **GRANT | asserting(token)))


@pytest.mark.spec("RFC7515-4.1.11", "RFC8725-3.10")
@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"crit": []}, {"b64": False}],
)
async def test_what_would_change_the_meaning_is_refused(world, machine, header):
    assert is_refused(await prove(world, machine, by("ES256", header=header)))


@pytest.mark.spec("RFC8725-3.10")
async def test_keys_that_it_brings_along_count_for_nothing(world, machine):
    stranger = Key()
    header = {
        "jwk": stranger.members,
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/x5u",
        "kid": "ES256",
    }

    assert is_refused(await prove(world, machine, assertion(stranger, header=header)))


async def test_certificates_that_it_brings_along_do_no_harm(world, machine):
    assert (await prove(world, machine, by("ES256", header={"x5c": ["x" * 2000]}))).status == 200


@pytest.mark.spec("RFC7523-3", "CA-3")
async def test_another_key_of_another_client_and_our_own_are_refused(world, machine, ring):
    other = Key(kid="ES256")
    register(world, "other", [other])
    ours = ring.signing["ES256"]
    now = int(clock.now())
    own = {"iss": "machine", "sub": "machine", "aud": ISSUER, "jti": "1", "exp": now + 60}

    assert is_refused(await prove(world, machine, assertion(other)))
    assert is_refused(await prove(world, machine, ours.jwt("JWT", own)))
    nobody = {**own, "iss": "nobody", "sub": "nobody"}
    assert is_refused(await prove(world, machine, ours.jwt("JWT", nobody)))


@pytest.mark.spec("RFC7517-4.5", "CA-4")
async def test_the_key_is_chosen_by_its_kid_and_without_one_by_trying(world, machine):
    answer = await prove(world, machine, by("ES256", header={"kid": ...}))
    assert answer.status == 200

    assert is_refused(await prove(world, machine, by("ES256", header={"kid": "RS256"})))
    assert is_refused(await prove(world, machine, by("ES256", header={"kid": "none of them"})))


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "ES384"}, {"kty": "RSA"}, {"x": "AA"}])
async def test_a_registered_key_that_is_not_for_this_verifies_nothing(world, key, change):
    client = register(world, jwks=(key.jwk | {"kid": "ES256"} | change,))

    assert is_refused(await prove(world, client, by("ES256")))


@pytest.mark.filterwarnings("ignore:Key size")
async def test_an_rsa_key_that_is_too_short_verifies_nothing(world):
    short = Key("RS256", "RS256")
    short.private = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    client = register(world, keys=[short])

    assert is_refused(await prove(world, client, assertion(short)))


@pytest.mark.spec("OIDCC-10.1.1", "CA-4")
async def test_keys_at_an_address_are_asked_for_by_their_kid(world, key):
    client = register(world, jwks=(), jwks_uri="https://machine.example/jwks")
    world.host.clients.served[client.jwks_uri] = [key.jwk | {"kid": "ES256"}]

    assert (await prove(world, client, by("ES256"))).status == 200
    assert world.host.clients.asked == {(client.jwks_uri, "ES256"): 1}


@pytest.mark.spec("CA-4")
async def test_keys_that_cannot_be_had_prove_nothing(world):
    client = register(world, jwks=(), jwks_uri="https://machine.example/jwks")

    answer = await prove(world, client, by("ES256"))

    assert is_refused(answer)
    assert not world.host.clients.failures  # the client guessed nothing
    assert answer.body == (await prove(world, client, by("ES256", "nobody"))).body
    with pytest.raises(Unreachable):
        await world.host.clients.keys(client, None)


@pytest.mark.spec("RFC7523-3", "CA-3")
async def test_an_assertion_is_accepted_once(world, machine):
    token = by("ES256")

    assert (await prove(world, machine, token)).status == 200
    assert is_refused(await prove(world, machine, token))
    assert is_refused(await prove(world, machine, token, "/oauth2/introspect"))


async def test_the_same_jti_of_another_client_is_another_one(world, machine):
    other = register(world, "other")

    assert (await prove(world, machine, by("ES256", jti="one"))).status == 200
    assert (await prove(world, other, by("ES256", "other", jti="one"))).status == 200
    assert is_refused(await prove(world, machine, by("PS256", jti="one")))


async def test_it_is_remembered_for_longer_than_it_could_be_used(world, machine, later):
    token = by("ES256", exp=clock.now() + 3600)
    assert (await prove(world, machine, token)).status == 200
    for _ in range(7):
        later(500)
        assert is_refused(await prove(world, machine, token))


@pytest.mark.spec("CA-3")
async def test_whoever_cannot_sign_uses_nothing_up(world, machine, key):
    """A stranger who guesses the next jti must not be able to spend it."""
    for forged in (assertion(Key(kid="ES256"), jti="next"), by("ES256", jti="next", aud="x")):
        assert is_refused(await prove(world, machine, forged))
    basic_one = world.client("basic", jwks=(key.jwk,))
    answer = await world.token(
        basic_one, headers=[], **GRANT | asserting(assertion(key, "basic", jti="next"))
    )
    assert is_refused(answer)
    assert not world.host.requests.seen

    assert (await prove(world, machine, by("ES256", jti="next"))).status == 200


@pytest.mark.spec("RFC6749-2.3", "CA-2")
@pytest.mark.parametrize(
    ("headers", "more"),
    [([basic("machine")], {}), ([], {"client_secret": SECRET}), ([("authorization", "x")], {})],
)
async def test_two_methods_at_once_are_refused(world, machine, headers, more):
    answer = await world.post(
        "/oauth2/token", machine, GRANT | asserting(by("ES256")) | more, headers=headers
    )

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC6749-2.3", "CA-2")
async def test_it_is_the_method_of_those_who_registered_it_and_theirs_only(world, machine, key):
    for method in ("client_secret_basic", "client_secret_post", "none"):
        client = world.client(method, token_endpoint_auth_method=method, jwks=(key.jwk,))
        token = assertion(key, method)
        answer = await world.post(
            "/oauth2/token", client, GRANT | asserting(token) | {"client_secret": None}, headers=[]
        )
        assert is_refused(answer)
    for attempt in ({"client_id": "machine"}, {"client_id": "machine", "client_secret": SECRET}):
        assert is_refused(await world.token(machine, **attempt, **GRANT))
    answer = await world.token(machine, headers=[basic("machine")], **GRANT)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC6749-5.2")
async def test_an_unknown_client_looks_like_a_wrong_key(world, machine):
    world.client("basic")
    answers = [
        await prove(world, machine, by("ES256", "nobody")),
        await prove(world, machine, assertion(Key(kid="ES256"))),
        await prove(world, machine, by("ES256", "basic")),
    ]

    assert all(is_refused(answer) for answer in answers)
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.spec("RFC6749-2.3.1", "CA-10")
async def test_guessing_is_slowed_down_for_the_guesser_only(world, machine):
    for _ in range(MAX_FAILURES):
        assert is_refused(await prove(world, machine, assertion(Key(kid="ES256"))))

    guesser = await prove(world, machine, by("ES256"))
    world.host.clients.failures.clear()

    assert (guesser.status, guesser.json["error"]) == (429, "slow_down")
    assert guesser.headers["retry-after"] == "30"
    assert (await prove(world, machine, by("ES256"))).status == 200


async def test_the_calling_page_may_read_the_answer(world):
    client = register(world, allowed_origins=frozenset({"https://app.example"}))
    origin = [("origin", "https://app.example")]

    answer = await world.post(
        "/oauth2/token", client, GRANT | asserting(by("ES256")), headers=origin
    )

    assert answer.headers["access-control-allow-origin"] == "https://app.example"


async def test_it_takes_one_trip_more(world, machine):
    _, trips = await world.trips_of(prove(world, machine, by("ES256")))
    assert trips == {"is_first": 1, "issue_to_client": 1}

    for bad in (by("ES256", aud="x"), assertion(Key(kid="ES256")), by("ES256", "nobody"), "a.b.c"):
        _, trips = await world.trips_of(prove(world, machine, bad))
        assert trips == {}


async def test_a_database_that_is_away_is_no_refusal(world, machine):
    world.host.wire.is_cut = True

    assert (await prove(world, machine, by("ES256"))).status == 503


async def test_codes_and_refresh_tokens_are_had_with_it(world, machine):
    code = await world.code(machine, scope="openid offline_access")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    form["code_verifier"] = "v" * 43

    tokens = await world.post("/oauth2/token", machine, form | asserting(by("ES256")))
    assert tokens.status == 200, tokens.text
    again = {"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    refreshed = await world.post("/oauth2/token", machine, again | asserting(by("PS256")))

    assert refreshed.status == 200


# --- what nobody sane sends ---------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3)
    ),
    max_leaves=6,
)
HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]), anything)
CLAIMS = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]), anything
)
STRANGE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(lambda raw: compact(raw, raw, raw))
    | st.builds(compact, HEADERS, CLAIMS)
)
@STRANGE
async def test_garbage_is_refused_and_never_a_bug(world, machine, token):
    answer = await prove(world, machine, token)

    assert answer.status in {400, 401}


@given(HEADERS, CLAIMS)
@STRANGE
async def test_what_a_client_really_signed_may_be_garbage_too(world, machine, header, claims):
    world.host.clients.failures.clear()
    token = by("ES256", header=header, **claims)

    assert (await prove(world, machine, token)).status in {200, 400, 401}


@pytest.mark.spec("RFC8725-3.2")
async def test_the_size_is_looked_at_first(world, machine):
    answer = await prove(world, machine, by("ES256", jti="x" * 13_000))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")  # above 16 KB
    assert (await prove(world, machine, by("ES256", jti="x" * 7000))).status == 200
