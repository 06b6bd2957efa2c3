"""What is known of a person, by command."""

import pytest


@pytest.fixture
def ada(here):
    here("user", "add", "ada", "--email", "ada@acme.example")
    return "ada"


def test_claims_and_attributes_are_set_and_taken_away(here, ada):
    told = here(
        "user", "set", ada, "nickname=Countess", "birthdate=1815", "department=Engines",
        'address={"locality": "London"}',
    )  # fmt: skip
    assert (told["nickname"], told["birthdate"]) == ("Countess", "1815")
    assert told["address"] == {"locality": "London"}
    told = here("user", "set", "ada@acme.example", "nickname=null")
    assert "nickname" not in told
    assert told["birthdate"] == "1815"


@pytest.mark.parametrize(
    ("pair", "field"),
    [
        ("picture=javascript:alert(1)", "picture"),
        ("email=eve@acme.example", "email"),
        ("nickname", "nickname"),
        ('address={"city": "London"}', "address.city"),
    ],
)
def test_what_is_no_value_is_refused_by_name(here, ada, pair, field):
    answer = here("user", "set", ada, pair, status=1)
    assert answer["error"] == "validation_failed"
    assert answer["detail"].startswith(f"{field}: ")


def test_nobody_is_not_changed(here):
    assert here("user", "set", "nobody", "nickname=x", status=1)["error"] == "not_found"
