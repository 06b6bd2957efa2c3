"""What is sealed opens for its tenant, its purpose and its key, unaltered, and not otherwise."""

import base64
import secrets
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.kernel.crypto import DoesNotOpen, Envelope, open_under, parse_key, seal_under

OLD, NEW = b"o" * 32, b"n" * 32
A, B = uuid4(), uuid4()
SECRET = b"the private part"


@pytest.fixture
def envelope():
    return Envelope(NEW)


@pytest.fixture
def wrapped(envelope):
    return envelope.new_data_key(A)


@pytest.fixture
def cipher(envelope, wrapped):
    return envelope.cipher(A, wrapped)


def test_what_is_sealed_opens_again(cipher):
    assert cipher.open(cipher.seal(SECRET, "x"), "x") == SECRET
    assert cipher.open(cipher.seal(b"", "x"), "x") == b""


def test_sealing_twice_gives_two_different_values_that_show_nothing(cipher):
    first, second = cipher.seal(SECRET, "x"), cipher.seal(SECRET, "x")
    assert first != second
    assert SECRET not in first


def test_another_purpose_does_not_open(cipher):
    with pytest.raises(DoesNotOpen):
        cipher.open(cipher.seal(SECRET, "smtp password"), "totp seed")


def test_another_tenant_does_not_open_even_with_the_same_data_key(envelope, cipher, wrapped):
    theirs = envelope.cipher(B, envelope.new_data_key(B))
    with pytest.raises(DoesNotOpen):
        theirs.open(cipher.seal(SECRET, "x"), "x")
    with pytest.raises(DoesNotOpen):
        envelope.cipher(B, wrapped)


@given(st.data())
def test_one_altered_bit_anywhere_does_not_open(data):
    cipher = Envelope(NEW).cipher(A, Envelope(NEW).new_data_key(A))
    sealed = bytearray(cipher.seal(SECRET, "x"))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(DoesNotOpen):
        cipher.open(bytes(sealed), "x")


@pytest.mark.parametrize("cut", [0, 1, 12, 13, 28, -1])
def test_a_cut_value_does_not_open(cipher, cut):
    with pytest.raises(DoesNotOpen):
        cipher.open(cipher.seal(SECRET, "x")[:cut], "x")


@pytest.mark.parametrize("at", [0, 3, 4, 20, -1])
def test_an_altered_data_key_does_not_open(envelope, wrapped, at):
    altered = bytearray(wrapped)
    altered[at] ^= 1
    with pytest.raises(DoesNotOpen):
        envelope.cipher(A, bytes(altered))


@pytest.mark.parametrize("wrapped", [b"", b"\x00", b"\x00" * 60])
def test_what_is_no_data_key_does_not_open(envelope, wrapped):
    with pytest.raises(DoesNotOpen):
        envelope.cipher(A, wrapped)


@pytest.mark.spec("architecture 5")
def test_the_previous_master_key_opens_and_wraps_no_more():
    before, after = Envelope(OLD), Envelope(NEW, [OLD])
    wrapped = before.new_data_key(A)
    sealed = before.cipher(A, wrapped).seal(SECRET, "x")
    assert after.cipher(A, wrapped).open(sealed, "x") == SECRET
    with pytest.raises(DoesNotOpen):
        before.cipher(A, after.new_data_key(A))
    with pytest.raises(DoesNotOpen):
        Envelope(NEW).cipher(A, wrapped)


def test_rewrapping_keeps_the_data_key_and_needs_the_old_master_key_no_more():
    wrapped = Envelope(OLD).new_data_key(A)
    sealed = Envelope(OLD).cipher(A, wrapped).seal(SECRET, "x")
    both = Envelope(NEW, [OLD])
    rewrapped = both.rewrap(A, wrapped)
    assert Envelope(NEW).cipher(A, rewrapped).open(sealed, "x") == SECRET
    assert both.rewrap(A, rewrapped) is None
    with pytest.raises(DoesNotOpen):
        both.rewrap(B, wrapped)


def test_data_keys_are_random(envelope):
    opened = {envelope.cipher(A, envelope.new_data_key(A))._data_key for _ in range(5)}  # noqa: SLF001
    assert len(opened) == 5


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_in_any_usual_notation(key):
    for text in (
        key.hex(), key.hex().upper(), base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode(), base64.urlsafe_b64encode(key).decode().rstrip("="),
        f" {key.hex()}\n",
    ):  # fmt: skip
        assert parse_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["", "x", "change me", "zz" * 32, secrets.token_hex(16), secrets.token_hex(33),
     base64.b64encode(b"x" * 31).decode(), "!" + base64.b64encode(b"x" * 32).decode(),
     base64.b64encode(b"x" * 32).decode().replace("e", "e e", 1)],
    ids=lambda text: f"{len(text)}-characters",
)  # fmt: skip
def test_what_is_no_key_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match=r"holds|base64") as refusal:
        parse_key(text)
    assert len(text) < 5 or text not in str(refusal.value)


def test_what_is_sealed_under_a_secret_opens_for_its_holder_alone():
    sealed = seal_under("the token", SECRET, "replay")
    assert open_under("the token", sealed, "replay") == SECRET
    for secret, purpose in (("another token", "replay"), ("the token", "other")):
        with pytest.raises(DoesNotOpen):
            open_under(secret, sealed, purpose)
