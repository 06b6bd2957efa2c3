"""What a person may be called, and what they may prove themselves with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.accounts.errors import InvalidUser, WeakPassword
from insula.accounts.hashing import normalise
from insula.accounts.models import (
    check_email,
    check_password,
    check_username,
    normalise_name,
    standard_claims,
)
from insula.accounts.settings import Hashing, PasswordPolicy
from insula.kernel.errors import Invalid

POLICY = PasswordPolicy()
GOOD = "seventeen green umbrellas"


@pytest.mark.parametrize("name", ["a", "7", "ada.lovelace", "A_b-c.d", "x" * 120])
def test_user_names_that_are_good(name):
    check_username(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "-a", "a-", "a b", "a@b", "a/b", "a\n", "\u00e4da", "a\u200bb", "x" * 121, "a\x00b",
     "<script>"],
)  # fmt: skip
def test_user_names_that_are_not(name):
    with pytest.raises(InvalidUser) as refusal:
        check_username(name)
    assert refusal.value.field == "username"


@pytest.mark.parametrize("email", ["ada@acme.example", "a+b@x", "\u00fcber@b\u00fccher.example"])
def test_addresses_that_are_good(email):
    check_email(email)


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@acme.example", "ada@", "a@b@c", "a b@c", "a@b c", "a\r\nbcc:x@y", "a@b\n",
     "<a@b>", "a,b@c", "a;b@c", "x" * 65 + "@y", "a@" + "x" * 190, "a@b\r\nBcc: c@d"],
)  # fmt: skip
def test_addresses_that_are_not(email):
    with pytest.raises(InvalidUser) as refusal:
        check_email(email)
    assert refusal.value.field == "email"


def test_names_are_looked_up_in_one_form():
    assert normalise_name(" ADA@Acme.Example ") == "ada@acme.example"
    assert normalise_name("STRASSE") == normalise_name("stra\u00dfe")
    assert normalise_name("u\u0308ber") == normalise_name("\u00dcBER")


@pytest.mark.spec("security row 52", "NIST 3.1.1")
@pytest.mark.parametrize(
    ("length", "good"), [(0, False), (14, False), (15, True), (64, True), (128, True), (129, False)]
)
def test_a_password_has_15_to_128_characters(length, good):
    password = (GOOD * 9)[:length]
    if good:
        check_password(password, POLICY, ())
    else:
        with pytest.raises(WeakPassword):
            check_password(password, POLICY, ())


def test_a_tenant_may_ask_for_more_and_not_for_less_than_the_floor():
    with pytest.raises(WeakPassword):
        check_password(GOOD, PasswordPolicy(min_length=40), ())
    with pytest.raises(ValueError, match="min_length"):
        PasswordPolicy(min_length=7)


@pytest.mark.spec("security row 53")
@pytest.mark.parametrize(
    "password",
    ["long lower case words only", "ALLUPPERCASELETTERS", "\u00fcml\u00e4ute sind auch buchstaben",
     "\U0001f600\U0001f601\U0001f602\U0001f603" * 4, "   spaces  are  fine   "],
)  # fmt: skip
def test_no_kinds_of_characters_are_asked_for(password):
    check_password(password, POLICY, ())


@pytest.mark.spec("security row 54")
@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "PasswordPassword", "123456789012345", "correcthorsebatterystaple",
     "a" * 30, "ababababababababab", "aaaaaaaaaaaaaaa"],
)  # fmt: skip
def test_common_passwords_are_refused(password):
    with pytest.raises(WeakPassword):
        check_password(password, POLICY, ())


@pytest.mark.parametrize(
    "password",
    ["acme acme acme acme", "ada.lovelace@acme", "AdaLovelaceAcme2", "acme-corporation1"],
)
def test_what_everybody_knows_about_a_person_is_no_password(password):
    context = ("ada.lovelace", "ada", "lovelace", "acme", "Acme Corporation", "corporation")
    with pytest.raises(WeakPassword):
        check_password(password, POLICY, context)
    check_password(f"{password} and the green umbrella", POLICY, context)


def test_a_refusal_names_the_field_and_not_the_password():
    with pytest.raises(WeakPassword) as refusal:
        check_password("hunter2", POLICY, ())
    assert isinstance(refusal.value, Invalid)
    assert refusal.value.field == "new_password"
    assert "hunter2" not in str(refusal.value) + refusal.value.description


@pytest.mark.spec("security row 55")
@given(st.text(max_size=200))
def test_a_password_is_only_composed_never_cut_or_trimmed(password):
    assert normalise(normalise(password)) == normalise(password)
    assert len(normalise(password + "x" * 300)) >= 300


@pytest.mark.spec("security row 56")
@pytest.mark.parametrize("cost", [{"memory_kib": 19 * 1024 - 1}, {"passes": 1}, {"lanes": 0}])
def test_the_cost_of_a_hash_has_a_floor(cost):
    with pytest.raises(ValueError, match=next(iter(cost))):
        Hashing(**cost)


@pytest.mark.spec("OIDCC-5.1")
def test_claims_that_are_not_known_are_left_out():
    claims = standard_claims({"username": "ada", "email": None, "email_verified": False})
    assert claims == {"name": "ada", "preferred_username": "ada"}
    claims = standard_claims(
        {"username": "ada", "given_name": "Ada", "family_name": "L", "email": "a@b",
         "email_verified": False}
    )  # fmt: skip
    assert claims["name"] == "Ada L"
    assert claims["email_verified"] is False
