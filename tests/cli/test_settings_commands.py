"""What a tenant decides for itself, by command."""

import pytest


def row(rows, section, field):
    (found,) = [each for each in rows if (each["section"], each["field"]) == (section, field)]
    return found


def test_settings_are_set_shown_and_unset(here):
    after = here(
        "settings", "set", "oidc.features", "front_channel_tokens=true", "registration=token"
    )
    assert (after["front_channel_tokens"], after["registration"]) == (True, "token")
    here("settings", "set", "oidc.ttl", "id_token=300")

    listed = here("settings", "list")
    assert row(listed, "oidc.features", "registration") == {
        "section": "oidc.features",
        "field": "registration",
        "value": "token",
        "default": "off",
        "set_by": "the tenant",
    }
    assert row(listed, "oidc.features", "par")["set_by"] is None
    (shown,) = {each["section"] for each in here("settings", "show", "oidc.ttl")}
    assert shown == "oidc.ttl"

    assert here("settings", "unset", "oidc.features", "registration")["registration"] == "off"
    assert here("settings", "unset", "oidc.features")["front_channel_tokens"] is False
    assert {each["set_by"] for each in here("settings", "show", "oidc.features")} == {None}
    assert row(here("settings", "list"), "oidc.ttl", "id_token")["value"] == 300


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set", "oidc.ttl", "id_token=1"), "validation_failed"),
        (("set", "oidc.ttl", "id_token"), "validation_failed"),
        (("set", "oidc.features", "registration=perhaps"), "validation_failed"),
        (("set", "oidc.features", "service_documentation=http://x.example"), "validation_failed"),
        (("set", "oidc.ttl", "made_up=1"), "field_not_overridable"),
        (("set", "keys.rotation", "interval_days=1"), "field_not_overridable"),
        (("show", "security.session"), "field_not_overridable"),
        (("unset", "oidc.ttl", "made_up"), "field_not_overridable"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(here, words, code):
    answer = here("settings", *words, status=1)
    assert answer["error"] == code
    assert "\n" not in answer["detail"]


def test_a_refusal_tells_a_person_what_would_be_right(run, slug):
    said = run("settings", "set", "oidc.ttl", "id_token=1", "--tenant", slug)
    assert said.status == 1
    assert said.err == (
        "insula: oidc.ttl.id_token: Input should be greater than or equal to 60"
        " For example: id_token=600\n"
    )
