"""Tokens that let programs register applications, by command."""

from uuid import uuid4

import pytest


def test_a_token_is_made_shown_once_listed_and_revoked(here):
    made = here(
        "registration-tokens", "create", "--label", "build server", "--uses", "5", "--life", "300",
        "--profile", "standard", "--scope", "openid", "--scope", "email",
        "--redirect-host", "app.example", "--auth-method", "private_key_jwt",
    )  # fmt: skip
    assert made["token"].startswith("ins_iat_")
    assert made["uses_left"] == 5
    assert made["policy"] == {
        "profile": "standard",
        "scopes": ["openid", "email"],
        "redirect_hosts": ["app.example"],
        "auth_methods": ["private_key_jwt"],
    }

    (listed,) = here("registration-tokens", "list")
    assert (listed["id"], listed["label"], listed["revoked_at"]) == (
        made["id"], "build server", None,
    )  # fmt: skip
    assert made["token"] not in str(listed)

    assert here("registration-tokens", "revoke", made["id"])["revoked"] is True
    (listed,) = here("registration-tokens", "list")
    assert listed["revoked_at"] is not None


@pytest.mark.spec("DR-2")
def test_a_token_without_options_is_good_once_and_holds_to_nothing_of_its_own(here):
    made = here("registration-tokens", "create")

    assert (made["uses_left"], made["policy"]) == (1, {})


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--profile", "other"),
        ("create", "--auth-method", "client_secret_jwt"),
        ("create", "--scope", "a b"),
        ("create", "--scope", "insula:tenants:read"),
        ("create", "--redirect-host", "https://app.example"),
        ("create", "--label", "a\nb"),
    ],
    ids=" ".join,
)
def test_what_no_token_can_allow_is_refused(here, words):
    assert here("registration-tokens", *words, status=1)["error"] == "validation_failed"
    assert here("registration-tokens", "list") == []


@pytest.mark.spec("features Z04")
@pytest.mark.parametrize("words", [("--life", "299"), ("--life", "2592001"), ("--uses", "1001")])
def test_life_and_uses_have_bounds(run, here, words):
    assert run("registration-tokens", "create", *words).status == 2
    assert here("registration-tokens", "list") == []


def test_an_unknown_token_is_not_revoked(here):
    assert here("registration-tokens", "revoke", str(uuid4()), status=1)["error"] == "not_found"


def test_only_what_registered_itself_is_taken_over(here):
    made = here("client", "add", "Reports", "--redirect-uri", "https://app.example/cb")

    refusal = here("client", "adopt", made["client_id"], status=1)

    assert refusal["error"] == "validation_failed"
