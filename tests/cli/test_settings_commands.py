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
    told = row(listed, "oidc.features", "registration")
    assert (told["value"], told["default"], told["source"]) == ("token", "off", "tenant")
    assert told["set_by"] == "system"
    assert row(listed, "oidc.features", "par")["source"] == "default"
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
        (("set", "security.interaction", "step_seconds=60"), "field_not_overridable"),
        (("set", "security.hashing", "passes=3"), "section_unknown"),
        (("show", "made.up"), "section_unknown"),
        (("restore", "99"), "not_found"),
        (("unset", "oidc.ttl", "made_up"), "field_not_overridable"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(here, words, code):
    answer = here("settings", *words, status=1)
    assert answer["error"] == code
    assert "\n" not in answer["detail"]


def test_a_saved_state_is_listed_restored_exported_and_imported(here, superuser, slug, tmp_path):
    here("settings", "set", "oidc.ttl", "id_token=300", "--reason", "shorter")
    here("settings", "set", "oidc.ttl", "id_token=null", "device_code=90")
    newest, first = here("settings", "history")
    assert (first["number"], first["reason"], first["by"]) == (1, "shorter", "system")
    assert newest["changed"] == ["oidc.ttl.device_code", "oidc.ttl.id_token"]
    assert here("settings", "restore", "1") == ["oidc.ttl.device_code", "oidc.ttl.id_token"]

    exported = here("settings", "export")
    assert exported == {"oidc.ttl": {"id_token": 300}}
    (line,) = superuser.execute(
        "select a.actor_type, a.metadata from insula.audit_events a join insula.tenants t"
        " on t.id = a.tenant_id where t.slug = %s and a.event = 'config.exported'",
        [slug],
    ).fetchall()
    assert line == ("system", {"sections": ["oidc.ttl"], "sealed": False})
    file = tmp_path / "settings.json"
    file.write_text('{"oidc.features": {"par": false}}')
    assert here("settings", "import", str(file)) == ["oidc.features.par", "oidc.ttl.id_token"]
    file.write_text("{")
    assert here("settings", "import", str(file), status=1)["error"] == "validation_failed"


@pytest.mark.spec("features BEY-3")
def test_a_change_is_planned_listed_and_taken_back(here, platform):
    words = ("--in-days", "7", "--reason", "the audit")
    made = here("settings", "set", "oidc.ttl", "id_token=300", *words)
    assert (made["changes"], made["reason"], made["by"]) == (
        {"id_token": 300}, "the audit", "system",
    )  # fmt: skip
    assert row(here("settings", "list"), "oidc.ttl", "id_token")["value"] == 600
    assert here("settings", "planned") == [made]
    here("settings", "set", "oidc.ttl", "id_token=400", "--in-days", "0")
    again = here("settings", "unset", "oidc.ttl", "id_token", "--in-days", "30")
    assert again["changes"] == {"id_token": None}
    assert here("settings", "unset", "oidc.ttl", "--in-days", "1")["changes"] == again["changes"]
    assert here("settings", "withdraw", "oidc.ttl")["section"] == "oidc.ttl"
    assert here("settings", "planned") == []
    assert here("settings", "withdraw", "oidc.ttl", status=1)["error"] == "not_found"
    refused = here("settings", "set", "oidc.ttl", "id_token=1", *words, status=1)
    assert refused["error"] == "validation_failed"

    platform("set", "oidc.ttl", "id_token=450", *words)
    platform("bound", "oidc.ttl", "id_token=1200", *words)
    assert [each["of"] for each in platform("planned")] == ["defaults", "bounds"]
    assert here("settings", "planned") == []
    assert platform("withdraw", "oidc.ttl")["changes"] == {"id_token": 450}
    assert platform("withdraw", "oidc.ttl", "--bounds")["changes"] == {"id_token": 1200}


def test_the_platform_sets_what_all_inherit_and_bounds_and_previews(here, platform):
    platform("set", "oidc.ttl", "device_code=120")
    assert row(here("settings", "list"), "oidc.ttl", "device_code")["value"] == 120
    here("settings", "set", "oidc.ttl", "id_token=3600")
    reach = platform("preview", "oidc.ttl", "id_token=1200")
    assert reach["tenants"] >= 1
    assert reach["inheriting"] == 0  # 600 is inherited, which is below
    assert platform("preview", "oidc.ttl", "id_token=300")["inheriting"] >= 1
    wanted = {"field": "id_token", "stored": 3600, "would_hold": 1200}.items()
    assert any(wanted <= each.items() for each in reach["named"])
    platform("bound", "oidc.ttl", "id_token=1200", "--reason", "policy")
    told = row(here("settings", "list"), "oidc.ttl", "id_token")
    assert (told["value"], told["source"], told["bound"]) == (1200, "clamped", 1200)
    refused = here("settings", "set", "oidc.ttl", "id_token=1300", status=1)
    assert refused["error"] == "bound_violated"
    assert row(platform("list"), "oidc.ttl", "device_code")["source"] == "platform"

    platform("bound", "security.session", "max_concurrent_sessions=3")
    told = row(here("settings", "list"), "security.session", "max_concurrent_sessions")
    assert (told["value"], told["default"], told["bound"]) == (3, 0, 3)  # 0 is no limit
    refused = here("settings", "set", "security.session", "max_concurrent_sessions=0", status=1)
    assert "no “0” (unlimited) here: its bound is “3”" in refused["detail"]
    platform("bound", "oidc.scopes", 'supported_scopes=["openid","email"]')
    wanted = 'supported_scopes=["email","openid","phone"]'
    refused = here("settings", "set", "oidc.scopes", wanted, status=1)
    assert "no “phone” here: its bound is “openid, email”" in refused["detail"]
    here("settings", "set", "oidc.scopes", 'supported_scopes=["email","openid"]')
    told = row(here("settings", "show", "oidc.scopes"), "oidc.scopes", "supported_scopes")
    assert (told["value"], told["source"]) == (["openid", "email"], "tenant")
    refused = here("settings", "set", "oidc.scopes", "supported_scopes=openid", status=1)
    assert refused["error"] == "validation_failed"
    assert platform("bound", "oidc.ttl", "id_token=1", status=1)["error"] == "validation_failed"


def test_a_refusal_tells_a_person_what_would_be_right(run, slug):
    said = run("settings", "set", "oidc.ttl", "id_token=1", "--tenant", slug)
    assert said.status == 1
    assert said.err == (
        "insula: oidc.ttl.id_token: Input should be greater than or equal to 60"
        " For example: id_token=600\n"
    )


@pytest.mark.spec("features A11")
@pytest.mark.parametrize(
    "words", [("set", "security.session", "idle_timeout_minutes=60"), ("list",)], ids=" ".join
)
def test_the_gateway_decides_nothing(insula, words):
    assert insula("settings", *words, "--tenant", "_ops", status=1)["error"] == "tenant_protected"
