"""Keys are made whole, named by their thumbprint, and sign as JWS wants it."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448, rsa

from insula.oidc import signing
from insula.oidc.signing import generate_key, load_signing_key, thumbprint


@pytest.mark.spec("RFC7638-3.1")
def test_the_published_thumbprint():
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"
        "PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"
        "qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZ"
        "u0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    assert thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


@pytest.mark.spec("RFC7517-4")
@pytest.mark.parametrize(
    ("alg", "members"),
    [
        ("RS256", {"kty", "use", "alg", "kid", "n", "e"}),
        ("PS256", {"kty", "use", "alg", "kid", "n", "e"}),
        ("ES256", {"kty", "use", "alg", "kid", "crv", "x", "y"}),
        ("EdDSA", {"kty", "use", "alg", "kid", "crv", "x"}),
    ],
)
def test_what_is_public_of_a_key_is_public_only(generated, alg, members):
    key = generated[alg]

    assert set(key.public_jwk) == members
    assert key.public_jwk["kid"] == key.kid
    assert (key.public_jwk["alg"], key.public_jwk["use"]) == (alg, "sig")
    required = {"kty", "n", "e", "crv", "x", "y"} & members
    assert thumbprint({name: key.public_jwk[name] for name in required}) == key.kid


@pytest.mark.spec("RFC7518-3.3")
def test_rsa_keys_have_2048_bits(generated):
    for alg in ("RS256", "PS256"):
        private = serialization.load_der_private_key(generated[alg].pkcs8_der, None)
        assert isinstance(private, rsa.RSAPrivateKey)
        assert private.key_size == 2048
        assert private.public_key().public_numbers().e == 65537


def test_secrets_of_a_key_are_not_shown(generated):
    for key in generated.values():
        assert "pkcs8_der" not in repr(key)
        assert "private" not in repr(load_signing_key(key.kid, key.alg, key.pkcs8_der))


@pytest.mark.spec("RFC7518-3.4")
def test_es256_signs_r_and_s_side_by_side(generated):
    made = generated["ES256"]
    key = load_signing_key(made.kid, made.alg, made.pkcs8_der)

    signatures = [key.sign(b"x") for _ in range(300)]  # some with a leading zero

    assert {len(signature) for signature in signatures} == {64}


def test_a_key_that_does_not_verify_itself_is_never_returned(monkeypatch):
    class Broken(signing.SigningKey):
        def sign(self, message):
            return super().sign(message + b"!")

    monkeypatch.setattr(signing, "SigningKey", Broken)

    for alg in signing.ALGORITHMS:
        with pytest.raises(InvalidSignature):
            generate_key(alg)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", ""])
def test_other_algorithms_are_not_made(alg):
    with pytest.raises(ValueError, match="no such algorithm"):
        generate_key(alg)


def test_other_kinds_of_keys_are_not_loaded():
    private = ed448.Ed448PrivateKey.generate().private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(TypeError, match="not a kind of key"):
        load_signing_key("x", "EdDSA", private)


async def test_rsa_signs_in_a_thread_and_the_same_as_inline(generated):
    made = generated["RS256"]
    key = load_signing_key(made.kid, made.alg, made.pkcs8_der)

    assert await key.issue("JWT", {"a": 1}) == key.jwt("JWT", {"a": 1})


async def test_the_loop_goes_on_while_rsa_signs(generated, monkeypatch):
    import threading  # noqa: PLC0415

    made = generated["RS256"]
    key = load_signing_key(made.kid, made.alg, made.pkcs8_der)
    seen = []
    sign = signing.SigningKey.sign
    monkeypatch.setattr(
        signing.SigningKey,
        "sign",
        lambda self, m: seen.append(threading.current_thread()) or sign(self, m),
    )

    await key.issue("JWT", {})

    assert seen != [threading.main_thread()]


def test_segments_are_base64url_without_padding():
    segment = signing.encode_segment({"a": "\xff?~"})

    assert b"=" not in segment
    assert base64.urlsafe_b64decode(segment + b"==")
