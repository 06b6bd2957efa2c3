"""Tokens that were made to be mistaken for ours (RS-8, ID-6, LO-4; RFC 8725)."""

import base64
import hashlib
import hmac
import json
from uuid import uuid4

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from oidc_world import ISSUER, build, ring_of

from insula.kernel import clock
from insula.oidc.jose import MAX_TOKEN, Verifier
from insula.oidc.signing import load_signing_key


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def forge(key, header, claims, *, signature=None):
    message = segment(header) + b"." + segment(claims)
    signed = key.sign(message) if signature is None else signature(message)
    return (message + b"." + segment(signed)).decode()


@pytest.fixture
def key(generated):
    made = generated["ES256"]
    return load_signing_key(made.kid, made.alg, made.pkcs8_der)


@pytest.fixture
def verifier(ring):
    return Verifier(ISSUER, ring)


def claims(**changes):
    now = int(clock.now())
    says = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": str(uuid4()),
        "client_id": "web",
        "jti": uuid4().hex + ".x",
        "scope": "openid",
        "iat": now,
        "exp": now + 60,
    } | changes
    return {name: value for name, value in says.items() if value is not ...}


def header(key, **changes):
    says = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt"} | changes
    return {name: value for name, value in says.items() if value is not ...}


def test_the_forger_of_these_tests_can_make_a_good_one(verifier, key):
    assert verifier.access_token(forge(key, header(key), claims()))


@pytest.mark.spec("RFC8725-3.1")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_unsigned_tokens(verifier, key, alg, signature):
    token = forge(key, header(key, alg=alg), claims(), signature=lambda _: signature)

    assert verifier.access_token(token) is None
    assert verifier.access_token(token.rpartition(".")[0] + ".") is None


@pytest.mark.spec("RFC8725-2.1")
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_used_as_a_shared_secret(verifier, key, generated, alg):
    public = key.private.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.PEM, spki).strip(),
        public.public_bytes(serialization.Encoding.DER, spki),
        json.dumps(generated["ES256"].public_jwk).encode(),
    ]

    for secret in secrets:
        token = forge(
            key,
            header(key, alg=alg),
            claims(),
            signature=lambda m, s=secret: hmac.digest(s, m, getattr(hashlib, "sha" + alg[2:])),
        )
        assert verifier.access_token(token) is None


@pytest.mark.spec("RFC8725-3.1")
def test_an_algorithm_that_is_not_this_keys(verifier, key, generated):
    rsa = load_signing_key(generated["RS256"].kid, "RS256", generated["RS256"].pkcs8_der)
    as_pss = load_signing_key(rsa.kid, "PS256", generated["RS256"].pkcs8_der)

    assert verifier.access_token(forge(as_pss, header(as_pss), claims())) is None
    assert verifier.access_token(forge(rsa, header(rsa, kid=key.kid), claims())) is None
    assert verifier.access_token(forge(key, header(key, kid=rsa.kid), claims())) is None
    assert verifier.access_token(forge(key, header(key, alg="ES384"), claims())) is None
    assert verifier.access_token(forge(key, header(key, alg=["ES256"]), claims())) is None


def test_eddsa_goes_by_both_of_its_names(verifier, generated):
    key = load_signing_key(generated["EdDSA"].kid, "EdDSA", generated["EdDSA"].pkcs8_der)

    assert verifier.access_token(forge(key, header(key), claims()))
    assert verifier.access_token(forge(key, header(key, alg="Ed25519"), claims()))
    assert verifier.access_token(forge(key, header(key, alg="Ed448"), claims())) is None


@pytest.mark.spec("RFC8725-3.10", "RFC7515-4.1.11")
@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"crit": "exp"},
        {"crit": None},
    ],
)
def test_extensions_that_must_be_understood(verifier, key, extension):
    assert verifier.access_token(forge(key, header(key, **extension), claims())) is None


@pytest.mark.spec("RFC8725-3.10")
def test_a_token_cannot_bring_its_own_key(verifier, key):
    mine = ec.generate_private_key(ec.SECP256R1())
    attacker = type(key)("mine", "ES256", mine)
    numbers = mine.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": segment(numbers.x.to_bytes(32, "big")).decode(),
        "y": segment(numbers.y.to_bytes(32, "big")).decode(),
    }
    brought = [
        {"jwk": jwk},
        {"jwk": jwk, "kid": ""},
        {"jku": "https://evil.example/jwks"},
        {"jku": "https://evil.example/jwks", "kid": "mine"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"kid": "../../../../dev/null"},
        {"kid": "https://evil.example/key"},
        {"kid": "' or 1=1 --"},
        {"kid": ["x"]},
        {"kid": None},
    ]

    for extra in brought:
        token = forge(attacker, header(attacker, kid=key.kid) | extra, claims())
        assert verifier.access_token(token) is None


def test_keys_in_the_header_of_a_good_token_are_ignored(verifier, key):
    token = forge(key, header(key, jku="https://x.example/", unheard_of=1), claims())

    assert verifier.access_token(token)


@pytest.mark.spec("RFC8725-3.10")
def test_a_foreign_key_under_one_of_our_kids(verifier, key, foreign):
    other = load_signing_key(key.kid, "ES256", foreign["ES256"].pkcs8_der)

    assert verifier.access_token(forge(other, header(other), claims())) is None


@pytest.mark.spec("RFC8725-3.11", "RFC9068-4")
@pytest.mark.parametrize(
    "typ", [..., "JWT", "jwt", "AT+JWT", "application/at+jwt", "logout+jwt", "", None, ["at+jwt"]]
)
def test_another_type_is_another_token(verifier, key, typ):
    assert verifier.access_token(forge(key, header(key, typ=typ), claims())) is None


@pytest.mark.spec("RFC9068-4")
@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://globex.example"},
        {"iss": ISSUER + "/"},
        {"iss": ...},
        {"aud": ...},
        {"aud": {ISSUER: 1}},
        {"sub": ...},
        {"sub": 1},
        {"client_id": ...},
        {"jti": ...},
        {"jti": 7},
        {"scope": ["openid"]},
        {"exp": ...},
        {"exp": "9999999999"},
        {"exp": True},
        {"iat": ...},
        {"iat": None},
        {"nbf": "0"},
    ],
    ids=str,
)
def test_claims_that_are_absent_or_not_ours(verifier, key, wrong):
    assert verifier.access_token(forge(key, header(key), claims(**wrong))) is None


@pytest.mark.spec("RFC9068-4")
@pytest.mark.parametrize("aud", ["web", ["https://api.example"], ISSUER + "/"], ids=str)
async def test_a_token_for_others_is_none_at_our_own_endpoints(world, web, key, aud):
    answer = await world.tokens(web)
    says = world.provider._issuer.verifier.access_token(answer["access_token"])  # noqa: SLF001

    token = forge(key, header(key), {**says, "aud": aud})

    assert (await world.userinfo(token)).status == 401


@pytest.mark.spec("RFC9068-4")
async def test_we_may_be_one_of_several_audiences(world, web, key):
    answer = await world.tokens(web)
    says = world.provider._issuer.verifier.access_token(answer["access_token"])  # noqa: SLF001

    token = forge(key, header(key), {**says, "aud": ["https://api.example", ISSUER]})

    assert (await world.userinfo(token)).status == 200


@pytest.mark.spec("FAPI2-SP-FINAL-5.3.2.1-13")
@pytest.mark.parametrize(
    ("name", "offset", "is_good"),
    [
        ("iat", 10, True),
        ("iat", 60, False),
        ("nbf", 10, True),
        ("nbf", 60, False),
        ("exp", -10, True),
        ("exp", -16, False),
    ],
)
def test_clocks_may_differ_by_a_little(verifier, key, name, offset, is_good):
    token = forge(key, header(key), claims(**{name: int(clock.now()) + offset}))

    assert (verifier.access_token(token) is not None) == is_good


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'"x"', b"1", b"{", b"\xff", b"[" * 10000, b"9" * 5000]
)
def test_payloads_that_are_no_claims(verifier, key, payload):
    assert verifier.access_token(forge(key, header(key), payload)) is None


@pytest.mark.parametrize(
    "head", [b"", b"[]", b'"alg"', b'"typ"', b"1", b"null", b"{", b"\xff", b"[" * 300, b"{}"]
)
def test_headers_that_are_no_object(verifier, key, head):
    assert verifier.access_token(forge(key, head, claims())) is None


def test_a_token_above_16_kb_is_not_even_read(verifier, key):
    room = claims(pad="x" * 11000)

    assert verifier.access_token(forge(key, header(key), room))
    assert verifier.access_token(forge(key, header(key), room | {"pad": "x" * MAX_TOKEN})) is None


def test_shapes_that_are_no_jws(verifier, key):
    good = forge(key, header(key), claims())
    parts = good.split(".")
    shapes = [
        "",
        "..",
        "a.b",
        "a.b.c",
        good + ".",
        good + ".x.y",
        "." + good,
        good.replace(".", "=."),
        good + "=",
        " " + good,
        good + "\n",
        parts[0] + ".." + parts[2],
        f"{parts[0]}.{parts[1]}.{parts[2][:-4]}",
        f"{parts[0]}.{parts[1]}.{parts[2]}AAAA",
        good[:-10] + "ä" + good[-9:],
        json.dumps({"protected": parts[0], "payload": parts[1], "signature": parts[2]}),
    ]

    assert [shape for shape in shapes if verifier.access_token(shape) is not None] == []


@given(st.data())
def test_no_changed_bit_survives(data):
    verifier, good = _made()
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("ABCabc019-_."))

    changed = good[:at] + other + good[at + 1 :]

    assert (verifier.access_token(changed) is not None) == (changed == good)


_cache = []


def _made():
    if not _cache:
        from insula.oidc.signing import generate_key  # noqa: PLC0415

        made = generate_key("ES256")
        key = load_signing_key(made.kid, made.alg, made.pkcs8_der)
        _cache.extend(
            (Verifier(ISSUER, ring_of([made])), forge(key, header(key), claims(exp=9999999999)))
        )
    return _cache


@pytest.mark.spec("RFC8725-3.12", "OIDCC-3.1.3.7")
async def test_our_own_tokens_are_not_taken_for_each_other(world, web):
    browser = world.signed_in()
    tokens = await world.tokens(web, browser)

    assert (await world.userinfo(tokens["id_token"])).status == 401
    assert (await world.introspect(web, tokens["id_token"])).json == {"active": False}
    answer = await browser.go("/oauth2/logout", {"id_token_hint": tokens["access_token"]})
    assert answer.status == 400


async def test_a_token_of_another_issuer_with_the_same_keys(world, web, ring):
    foreign = build(world.host, ring)
    tokens = await world.tokens(web)
    says = pyjwt.decode(tokens["access_token"], options={"verify_signature": False})
    key = ring.signing["ES256"]
    elsewhere = forge(key, header(key), says | {"iss": "https://globex.example"})

    world.provider = foreign
    assert (await world.userinfo(tokens["access_token"])).status == 200
    assert (await world.userinfo(elsewhere)).status == 401


@pytest.mark.parametrize(
    "wrong", [{"aud": ["web"]}, {"aud": ...}, {"iss": "https://globex.example"}, {"sub": ...}]
)
def test_hints_that_are_not_ours(verifier, key, wrong):
    as_hint = {"aud": "web", "exp": 1}

    good = forge(key, header(key, typ="JWT"), claims(**as_hint))
    bad = forge(key, header(key, typ="JWT"), claims(**as_hint | wrong))

    assert verifier.id_token_hint(good)
    assert verifier.id_token_hint(bad) is None
