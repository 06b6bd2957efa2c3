"""A refusal speaks twice: to the caller, and to our log."""

import pytest

from insula.kernel import clock
from insula.kernel.errors import (
    Conflict,
    Denied,
    InsulaError,
    Invalid,
    NotFound,
    Unavailable,
)


@pytest.mark.parametrize("family", [NotFound, Conflict, Denied, Invalid, Unavailable])
def test_what_the_log_learns_is_not_what_the_caller_is_told(family):
    error = family("Not here.", detail="row 7 of tenant acme")
    assert isinstance(error, InsulaError)
    assert error.description == "Not here."
    assert str(error) == error.detail == "row 7 of tenant acme"
    assert error.code


def test_a_refusal_may_say_its_code_more_exactly_than_its_family():
    assert Conflict("x", code="last_admin").code == "last_admin"
    assert Conflict("x").code == "duplicate"


def test_refusals_carry_what_their_caller_needs():
    assert Unavailable("x", retry_after=7).retry_after == 7
    refusal = Invalid("x", field="slug", example="acme")
    assert (refusal.field, refusal.example) == ("slug", "acme")


def test_the_clock_moves_for_tests_and_back():
    before = clock.now()
    back = clock.shift(3600)
    assert clock.now() - before >= 3600
    back()
    assert clock.now() - before < 60
