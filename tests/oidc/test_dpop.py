"""DPoP where tokens are issued: the token endpoint and PAR (DP-1 to DP-5, DP-7, DP-8)."""

import json
import math

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, ISSUER, VERIFIER, build
from proofs import PAR_URL, TOKEN_URL, dpop, named, proof
from signed import Key, compact

from insula.kernel import clock
from insula.oidc.models import Features

ALGORITHMS = ("ES256", "PS256", "EdDSA")
KEYS = {alg: Key(alg) for alg in ALGORITHMS}
OWN = {"grant_type": "client_credentials"}
OFFLINE = "openid offline_access"
NONCES = Features(dpop_nonce=True)


@pytest.fixture
def key():
    return KEYS["ES256"]


@pytest.fixture
def machine(world):
    """Proves itself in the body, so that the headers are the proofs'."""
    return world.client("machine", token_endpoint_auth_method="client_secret_post")  # noqa: S106


async def own(world, client, *proofs, **more):
    return await post(world, client, "/oauth2/token", OWN | more, *proofs)


async def post(world, client, path, form, *proofs):
    secret = {} if client.is_public else {"client_secret": "ins_cs_" + "s" * 43}
    form = {"client_id": client.client_id} | secret | form
    return await world.post(path, client, form, headers=[dpop(each) for each in proofs])


async def redeem(world, client, code, *proofs):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return await post(world, client, "/oauth2/token", form | {"code_verifier": VERIFIER}, *proofs)


async def refresh(world, client, token, *proofs):
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await post(world, client, "/oauth2/token", form, *proofs)


def switch(world, ring, features, **changes):
    world.provider = build(world.host, ring, features=features, dpop_key=b"k" * 32, **changes)


def is_refused(answer, error="invalid_dpop_proof"):
    assert (answer.status, answer.json["error"]) == (400, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return True


# --- what a proof does --------------------------------------------------------------------


@pytest.mark.spec("DPOP-5", "DPOP-6.1", "DP-4", "DP-8")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_proof_binds_the_token_to_its_key(world, machine, alg):
    answer = await own(world, machine, proof(KEYS[alg]))

    assert answer.status == 200
    assert answer.json["token_type"] == "DPoP"
    says = pyjwt.decode(answer.json["access_token"], options={"verify_signature": False})
    assert says["cnf"] == {"jkt": KEYS[alg].thumbprint}


@pytest.mark.spec("RFC9864-2.2", "DP-1")
async def test_the_newer_name_of_eddsa_is_understood(world, machine):
    assert (
        await own(world, machine, proof(KEYS["EdDSA"], header={"alg": "Ed25519"}))
    ).status == 200


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_without_a_proof_tokens_are_bearer_tokens(world, machine):
    answer = await own(world, machine)

    assert answer.json["token_type"] == "Bearer"
    says = pyjwt.decode(answer.json["access_token"], options={"verify_signature": False})
    assert "cnf" not in says


@pytest.mark.spec("DPOP-6.2", "DP-8")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_introspection_names_the_key(world, machine, key, token_format):
    client = world.change(machine, access_token_format=token_format)
    bound = (await own(world, client, proof(key))).json["access_token"]
    free = (await own(world, client)).json["access_token"]

    said = (await world.introspect(client, bound)).json
    assert said["cnf"] == {"jkt": key.thumbprint}
    assert said["token_type"] == "DPoP"
    assert "cnf" not in (await world.introspect(client, free)).json


@pytest.mark.spec("DPOP-5.2", "DP-4")
async def test_a_client_that_must_bind_gets_nothing_without_a_proof(world, machine, key):
    client = world.change(machine, dpop_bound_access_tokens=True)
    code = await world.code(client)

    assert is_refused(await own(world, client))
    assert is_refused(await redeem(world, client, code))
    assert (await redeem(world, client, code, proof(key))).status == 200  # it was not burned


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_a_public_clients_refresh_token_is_bound_too(world, spa, key):
    code = await world.code(spa, scope=OFFLINE)
    token = (await redeem(world, spa, code, proof(key))).json["refresh_token"]

    assert is_refused(await refresh(world, spa, token))
    assert is_refused(await refresh(world, spa, token, proof(Key())), "invalid_grant")
    answer = await refresh(world, spa, token, proof(key))
    assert answer.status == 200
    assert answer.json["token_type"] == "DPoP"


@pytest.mark.spec("DPOP-5", "DP-4")
@pytest.mark.spec("RT-6", "RFC9449-5")
async def test_a_lost_answer_is_repeated_to_the_key_that_it_was_for(world, machine, key):
    code = await world.code(machine, scope="openid offline_access")
    token = (await redeem(world, machine, code, proof(key))).json["refresh_token"]
    first = await refresh(world, machine, token, proof(key))

    assert is_refused(await refresh(world, machine, token, proof(Key())), "invalid_grant")
    assert is_refused(await refresh(world, machine, token), "invalid_grant")
    assert (await refresh(world, machine, token, proof(key))).body == first.body


async def test_a_confidential_clients_refresh_token_is_not(world, machine, key):
    code = await world.code(machine, scope=OFFLINE)
    token = (await redeem(world, machine, code, proof(key))).json["refresh_token"]

    answer = await refresh(world, machine, token, proof(Key()))

    assert answer.status == 200
    assert answer.json["token_type"] == "DPoP"


# --- what is no proof ---------------------------------------------------------------------


@pytest.mark.spec("DPOP-4.3", "DP-1")
async def test_two_proofs_are_none(world, machine, key):
    assert is_refused(await own(world, machine, proof(key), proof(key)))


@pytest.mark.spec("DPOP-4.2", "DPOP-4.3", "DP-1")
@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": ...},
        {"typ": "at+jwt"},
        {"typ": ["dpop+jwt"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "EdDSA"},
        {"alg": ...},
        {"jwk": ...},
        {"jwk": None},
        {"jwk": "a key"},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": Key().members},
        {"jwk": KEYS["PS256"].members},
        {"jwk": KEYS["ES256"].members | {"crv": "P-384"}},
        {"jwk": KEYS["ES256"].members | {"x": "AAAA"}},
        {"jwk": KEYS["ES256"].members | {"x": "not base64!"}},
        {"jwk": KEYS["ES256"].members | {"y": KEYS["ES256"].members["x"]}},
        {"jwk": KEYS["ES256"].members | {"y": ...}, "typ": "dpop+jwt"},
        {"crit": ["jwk"]},
        {"b64": False},
    ],
    ids=named,
)
async def test_each_part_of_the_header(world, machine, key, header):
    if "jwk" in header and isinstance(header["jwk"], dict):
        header["jwk"] = {n: value for n, value in header["jwk"].items() if value is not ...}

    assert is_refused(await own(world, machine, proof(key, header=header)))


@pytest.mark.spec("RFC7518-3.5", "DP-1")
async def test_pkcs1_signatures_are_not_accepted(world, machine):
    assert is_refused(await own(world, machine, proof(Key("RS256"))))


@pytest.mark.spec("DPOP-4.3", "DP-1")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_private_key_in_a_proof_is_refused(world, machine, alg):
    private = json.loads(json.dumps(KEYS[alg].private_jwk))
    assert "d" in private

    assert is_refused(await own(world, machine, proof(KEYS[alg], header={"jwk": private})))


@pytest.mark.spec("RFC7518-3.5", "DP-1")
@pytest.mark.filterwarnings("ignore:Key size")
async def test_rsa_keys_that_are_too_short_or_too_costly_are_refused(world, machine):
    short = Key("PS256")
    short.private = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    assert is_refused(await own(world, machine, proof(short)))
    assert is_refused(await own(world, machine, proof(costly())))
    assert (await own(world, machine, proof(costly(65537)))).status == 200


def costly(exponent=2**2000 + 1):
    """An RSA key whose signatures take long to verify; no library makes one like it."""
    key, made = Key("PS256"), KEYS["PS256"].private.private_numbers()
    order = (made.p - 1) * (made.q - 1)
    while math.gcd(exponent, order) != 1:
        exponent += 2
    d = pow(exponent, -1, order)
    numbers = rsa.RSAPrivateNumbers(
        made.p,
        made.q,
        d,
        rsa.rsa_crt_dmp1(d, made.p),
        rsa.rsa_crt_dmq1(d, made.q),
        made.iqmp,
        rsa.RSAPublicNumbers(exponent, made.public_numbers.n),
    )
    key.private = numbers.private_key()
    return key


@pytest.mark.spec("DPOP-4.2", "DPOP-4.3", "DP-1", "DP-2")
@pytest.mark.parametrize(
    "changes",
    [
        {"jti": ...},
        {"jti": ""},
        {"jti": 7},
        {"htm": ...},
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": ["POST"]},
        {"htu": ...},
        {"htu": None},
        {"htu": ""},
        {"htu": PAR_URL},
        {"htu": ISSUER},
        {"htu": "/oauth2/token"},
        {"htu": TOKEN_URL + "/"},
        {"htu": TOKEN_URL.replace("https", "http")},
        {"htu": TOKEN_URL.replace("acme", "other")},
        {"htu": TOKEN_URL.replace("acme.example", "acme.example:8443")},
        {"htu": TOKEN_URL.replace("acme", "ada@acme")},
        {"htu": TOKEN_URL.replace("token", "TOKEN")},
        {"htu": TOKEN_URL.replace("/oauth2", "//oauth2")},
        {"htu": " " + TOKEN_URL},
        {"htu": TOKEN_URL.replace("token", "to\nken")},
        {"htu": TOKEN_URL.replace("/oauth2", "\\oauth2")},
        {"htu": "https://[acme.example/oauth2/token"},
        {"htu": "https://acme.example:x/oauth2/token"},
        {"htu": [TOKEN_URL]},
        {"iat": ...},
        {"iat": "now"},
        {"iat": None},
        {"iat": True},
        {"exp": 1},
        {"nbf": 10**12},
    ],
    ids=repr,
)
async def test_each_claim_that_is_wrong_or_missing(world, machine, key, changes):
    assert is_refused(await own(world, machine, proof(key, **changes)))


@pytest.mark.spec("DPOP-4.3", "DP-2")
@pytest.mark.parametrize(
    "htu",
    [
        "HTTPS://ACME.Example/oauth2/token",
        "https://acme.example:443/oauth2/token",
        "https://acme.example:/oauth2/token",
        TOKEN_URL + "?any=query",
        TOKEN_URL + "#fragment",
        TOKEN_URL + "?",
        "https://acme.example/./oauth2/token",
        "https://acme.example/x/../oauth2/token",
        "https://acme.example/../oauth2/token",
        "https://acme.example/%6Fauth2/%74oken",
        "https://acme.example/x/%2e%2E/oauth2/token",
    ],
)
async def test_addresses_that_mean_the_same(world, machine, key, htu):
    assert (await own(world, machine, proof(key, htu=htu))).status == 200


@pytest.mark.spec("DPOP-11.1", "DP-3")
@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-57, True), (-10, True), (10, True), (-63, False), (60, False)]
)
async def test_a_proof_is_a_minute_old_at_most(world, machine, key, seconds, accepted):
    answer = await own(world, machine, proof(key, iat=clock.now() + seconds))

    assert answer.status == 200 if accepted else is_refused(answer)


@pytest.mark.spec("DPOP-4.2", "DP-1")
async def test_members_that_nobody_knows_are_ignored(world, machine, key):
    sent = proof(
        key, header={"kid": "k", "x": 1, "jku": "https://evil.example"}, acr="x", nonce="y"
    )

    assert (await own(world, machine, sent)).status == 200


@pytest.mark.spec("DPOP-4.3", "DP-1")
async def test_the_key_inside_is_the_one_that_signed(world, machine, key):
    honest, stranger = proof(key).split("."), proof(Key()).split(".")

    assert is_refused(await own(world, machine, ".".join([*honest[:2], stranger[2]])))
    assert is_refused(await own(world, machine, ".".join([stranger[0], *honest[1:]])))


async def test_the_size_is_looked_at_first(world, machine, key):
    sent = proof(key, padding="x" * 13_000)
    assert len(sent) > 16 * 1024

    assert is_refused(await own(world, machine, sent))
    assert (await own(world, machine, proof(key, padding="x" * 3000))).status == 200


# --- once ---------------------------------------------------------------------------------


@pytest.mark.spec("DPOP-11.1", "DP-3")
async def test_a_proof_counts_once(world, machine, key):
    sent = proof(key)

    assert (await own(world, machine, sent)).status == 200
    assert is_refused(await own(world, machine, sent))
    assert is_refused(await own(world, machine, proof(key, jti=_jti(sent))))


def _jti(token):
    return pyjwt.decode(token, options={"verify_signature": False})["jti"]


@pytest.mark.spec("DPOP-11.1", "DP-3")
async def test_the_same_jti_of_another_key_is_another_one(world, machine, key):
    assert (await own(world, machine, proof(key, jti="one"))).status == 200
    assert (await own(world, machine, proof(Key(), jti="one"))).status == 200


@pytest.mark.spec("DPOP-11.1", "DP-3")
async def test_it_is_remembered_for_longer_than_it_could_be_used(world, machine, key, later):
    ahead = proof(key, iat=clock.now() + 12)
    assert (await own(world, machine, ahead)).status == 200
    for _ in range(4):
        later(25)
        assert is_refused(await own(world, machine, ahead))


async def test_a_replayed_proof_burns_no_code(world, machine, key):
    sent, code = proof(key), await world.code(machine)
    assert (await own(world, machine, sent)).status == 200

    assert is_refused(await redeem(world, machine, code, sent))
    assert (await redeem(world, machine, code, proof(key))).status == 200


async def test_it_takes_one_trip_more_and_a_bad_one_takes_none(world, machine, key):
    _, trips = await world.trips_of(own(world, machine, proof(key)))
    assert trips == {"is_first": 1, "issue_to_client": 1}

    for bad in ("garbage", proof(key, htm="GET"), proof(key, header={"jwk": Key().members})):
        _, trips = await world.trips_of(own(world, machine, bad))
        assert trips == {}


async def test_a_database_that_is_away_is_no_refusal(world, machine, key):
    world.host.wire.is_cut = True

    assert (await own(world, machine, proof(key))).status == 503


# --- codes that are bound from the beginning ----------------------------------------------


@pytest.mark.spec("DPOP-10", "DP-5")
async def test_dpop_jkt_binds_the_code(world, machine, key):
    for wrong in ([], [proof(Key())]):
        code = await world.code(machine, dpop_jkt=key.thumbprint)
        assert is_refused(await redeem(world, machine, code, *wrong), "invalid_grant")
        assert is_refused(await redeem(world, machine, code, proof(key)), "invalid_grant")
    code = await world.code(machine, dpop_jkt=key.thumbprint)

    assert (await redeem(world, machine, code, proof(key))).status == 200


async def push(world, client, *proofs, **changes):
    return await post(world, client, "/oauth2/par", world.request(client) | changes, *proofs)


async def pushed_code(world, client, pushed):
    assert pushed.status == 201, pushed.text
    reference = {"client_id": client.client_id, "request_uri": pushed.json["request_uri"]}
    return (await world.signed_in().go("/oauth2/authorize", reference)).code


@pytest.mark.spec("DPOP-10.1", "DP-5")
@pytest.mark.parametrize("named", [False, True])
async def test_a_proof_at_par_binds_the_code(world, machine, key, named):
    changes = {"dpop_jkt": key.thumbprint} if named else {}
    for sent, error in (([], "invalid_grant"), ([proof(Key())], "invalid_grant")):
        pushed = await push(world, machine, proof(key, url=PAR_URL), **changes)
        code = await pushed_code(world, machine, pushed)
        assert is_refused(await redeem(world, machine, code, *sent), error)
    pushed = await push(world, machine, proof(key, url=PAR_URL), **changes)
    code = await pushed_code(world, machine, pushed)

    assert (await redeem(world, machine, code, proof(key))).status == 200


@pytest.mark.spec("DPOP-10.1", "DP-5")
async def test_proof_and_thumbprint_must_agree_at_par(world, machine, key):
    sent = proof(key, url=PAR_URL)

    answer = await push(world, machine, sent, dpop_jkt=Key().thumbprint)

    assert is_refused(answer, "invalid_request")
    assert not world.host.requests.pushed


@pytest.mark.spec("DPOP-10.1", "DP-1", "DP-3")
async def test_a_bad_proof_is_refused_at_par_too(world, machine, key):
    used = proof(key, url=PAR_URL)
    assert (await push(world, machine, used)).status == 201

    for bad in (used, proof(key), "garbage", proof(key, "GET", PAR_URL)):
        assert is_refused(await push(world, machine, bad))


# --- nonces -------------------------------------------------------------------------------


@pytest.mark.spec("DPOP-8", "DP-7")
async def test_a_nonce_is_asked_for_where_that_is_on(world, ring, machine, key):
    switch(world, ring, NONCES)
    for path, url, form in (
        ("/oauth2/token", TOKEN_URL, OWN),
        ("/oauth2/par", PAR_URL, world.request(machine)),
    ):
        refused = await post(world, machine, path, form, proof(key, url=url))
        assert is_refused(refused, "use_dpop_nonce")
        nonce = refused.headers["dpop-nonce"]

        answer = await post(world, machine, path, form, proof(key, url=url, nonce=nonce))

        assert answer.status in {200, 201}
        assert answer.headers["dpop-nonce"] == nonce


@pytest.mark.spec("DPOP-8", "DP-7")
async def test_this_minutes_nonce_and_the_last_ones_are_good(world, ring, machine, key, later):
    switch(world, ring, NONCES)
    nonce = (await own(world, machine, proof(key))).headers["dpop-nonce"]
    later(60)
    answer = await own(world, machine, proof(key, nonce=nonce))
    assert answer.status == 200
    assert answer.headers["dpop-nonce"] != nonce
    later(60)

    assert is_refused(await own(world, machine, proof(key, nonce=nonce)), "use_dpop_nonce")


@pytest.mark.spec("DPOP-8", "DP-7")
@pytest.mark.parametrize("nonce", ["", "x", "x" * 43, 7, None, ["n"], "ü"])
async def test_no_other_nonce_is_good(world, ring, machine, key, nonce):
    switch(world, ring, NONCES)

    assert is_refused(await own(world, machine, proof(key, nonce=nonce)), "use_dpop_nonce")


@pytest.mark.spec("DP-7")
async def test_nonces_differ_from_issuer_to_issuer(world, ring, machine, key):
    found = set()
    for changes in ({"dpop_key": b"a" * 32}, {"dpop_key": b"b" * 32}):
        world.provider = build(world.host, ring, features=NONCES, **changes)
        found.add((await own(world, machine, proof(key))).headers["dpop-nonce"])
    assert len(found) == 2


@pytest.mark.spec("DPOP-8", "DP-7")
async def test_where_it_is_off_no_nonce_is_spoken_of(world, machine, key):
    answer = await own(world, machine, proof(key, nonce="any"))

    assert answer.status == 200
    assert "dpop-nonce" not in answer.headers


@pytest.mark.spec("DPOP-8.2", "DP-7")
async def test_answers_offer_a_nonce_before_it_is_asked_for(world, ring, machine, key):
    switch(world, ring, NONCES)
    nonce = (await own(world, machine)).headers["dpop-nonce"]

    assert (await own(world, machine, proof(key, nonce=nonce))).status == 200


async def test_a_page_may_read_the_nonce_and_send_the_proof(world, ring, key):
    switch(world, ring, NONCES)
    spa = world.public(allowed_origins=frozenset({"https://app.example"}))
    code = await world.code(spa)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    origin = ("origin", "https://app.example")

    answer = await world.post("/oauth2/token", spa, form, headers=[dpop(proof(key)), origin])

    assert is_refused(answer, "use_dpop_nonce")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-expose-headers"] == "DPoP-Nonce, WWW-Authenticate"


# --- switched off -------------------------------------------------------------------------


@pytest.mark.spec("DP-1")
async def test_where_dpop_is_off_a_proof_is_refused_and_not_ignored(world, ring, machine, key):
    switch(world, ring, Features(dpop=False, dpop_nonce=True))

    answer = await own(world, machine, proof(key))

    assert is_refused(answer)
    assert answer.json["error_description"] == "DPoP is not supported"
    assert is_refused(await push(world, machine, proof(key, url=PAR_URL)))
    plain = await own(world, machine)
    assert plain.status == 200
    assert "dpop-nonce" not in plain.headers
    bound = world.change(machine, dpop_bound_access_tokens=True)
    assert is_refused(await own(world, bound))


# --- what nobody sane sends ---------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3)
    ),
    max_leaves=6,
)
JWKS = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "k", "use", "alg"]),
    anything | st.sampled_from(["EC", "RSA", "OKP", "P-256", "Ed25519", "AQAB", "AA", "_-8="]),
)
HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from([*ALGORITHMS, "Ed25519"]) | anything, "jwk": JWKS | anything},
    optional={"typ": anything, "kid": anything, "crit": anything},
)
CLAIMS = st.dictionaries(
    st.sampled_from(["jti", "htm", "htu", "iat", "exp", "nbf", "nonce", "ath"]), anything
)
STRANGE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=60)
    | st.binary(max_size=60).map(lambda raw: compact(raw, raw, raw))
    | st.builds(compact, HEADERS, CLAIMS)
)
@STRANGE
async def test_garbage_is_refused_and_never_a_bug(world, machine, sent):
    assert is_refused(await own(world, machine, sent))


@given(HEADERS, CLAIMS)
@STRANGE
async def test_what_was_really_signed_may_be_garbage_too(world, machine, header, claims):
    key = KEYS["ES256"]
    signed = proof(key, **claims)
    assert (await own(world, machine, signed)).status in {200, 400}

    assert is_refused(await own(world, machine, proof(key, header=header)))
