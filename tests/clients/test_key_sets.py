"""Which public keys a client may register, and what is kept of them."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from insula.clients.errors import InvalidClientMetadata
from insula.clients.key_sets import can_sign, read_key_set

pytestmark = pytest.mark.spec("OIDCR-2", "RFC7517-5", "DR-6")


def b64(number, size=0):
    raw = number if isinstance(number, bytes) else number.to_bytes(
        size or (number.bit_length() + 7) // 8
    )  # fmt: skip
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def rsa_key(bits=2048, **more):
    public = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "n": b64(public.n), "e": b64(public.e), **more}


def ec_key(curve=None, name="P-256", **more):
    curve = curve or ec.SECP256R1()
    public = ec.generate_private_key(curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    return {"kty": "EC", "crv": name, "x": b64(public.x, size), "y": b64(public.y, size), **more}


def okp_key(**more):
    raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **more}


EC, OKP = ec_key(), okp_key()


def refused(*keys):
    with pytest.raises(InvalidClientMetadata) as refusal:
        read_key_set({"keys": list(keys)})
    assert refusal.value.field == "jwks"
    return refusal.value.description


def test_keys_of_the_three_kinds_are_kept_as_they_are():
    keys = [rsa_key(kid="a", use="sig"), {**EC, "kid": "b"}, {**OKP, "alg": "EdDSA"}]
    assert read_key_set({"keys": keys}) == {"keys": keys}


def test_what_is_no_part_of_a_public_key_is_left_out():
    key = {**EC, "x5c": ["MII"], "x5u": "https://evil.example", "made_up": True}
    assert read_key_set({"keys": [key], "made_up": 1}) == {"keys": [EC]}


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_member_is_refused(member):
    assert "private" in refused({**EC, member: "AQ"})


def test_a_shared_secret_is_refused():
    assert "private" in refused({"kty": "oct"})


@pytest.mark.parametrize(("curve", "name"), [(ec.SECP384R1(), "P-384"), (ec.SECP521R1(), "P-521")])
def test_another_curve_is_refused(curve, name):
    assert "P-256" in refused(ec_key(curve, name))
    refused({**OKP, "crv": "Ed448"})
    refused({**OKP, "crv": "X25519"})


def test_a_short_or_endless_rsa_key_is_refused():
    assert "2048" in refused(rsa_key(1024))
    assert "8192" in refused({"kty": "RSA", "n": b64(2**8192 + 1), "e": "AQAB"})
    refused({**rsa_key(), "e": "AQ"})
    refused({**rsa_key(), "e": "Ag"})


def test_a_point_off_the_curve_is_refused():
    assert "curve" in refused({**EC, "y": EC["x"]})
    refused({**EC, "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)})


@pytest.mark.parametrize("value", [None, 1, "", "a b", "a+/b", "\u00fc", "A", "=", "AQ" * 9000])
def test_a_member_that_is_no_base64url_is_refused(value):
    refused({**OKP, "x": value})
    refused({**EC, "x": value})


@pytest.mark.parametrize(
    "keys", [None, "x", {}, [], ["x"], [None], [{}], [{"kty": ["RSA"]}], [{"kty": "XYZ"}]]
)
def test_what_is_no_key_set_is_refused(keys):
    with pytest.raises(InvalidClientMetadata):
        read_key_set({"keys": keys})


def test_twenty_keys_are_enough_and_a_name_is_given_once():
    assert len(read_key_set({"keys": [OKP] * 20})["keys"]) == 20
    assert "20" in refused(*[OKP] * 21)
    assert "kid" in refused({**OKP, "kid": "a"}, {**EC, "kid": "a"})
    refused({**OKP, "kid": 1})


def test_which_algorithm_a_set_can_sign():
    assert can_sign({"keys": [EC, OKP]}, "EdDSA")
    assert can_sign({"keys": [EC]}, "ES256")
    assert not can_sign({"keys": [EC]}, "RS256")
