"""An installation as files say: planned, applied, and watched for what is changed by hand."""

import pytest


@pytest.fixture
def folder(tmp_path, slug, platform):  # noqa: ARG001  (the platform's own tenant)
    folder = tmp_path / "insula"
    (folder / "tenants").mkdir(parents=True)
    (folder / "platform.yaml").write_text("values: {oidc.ttl: {device_code: 120}}\n")
    (folder / "tenants" / f"{slug}.yaml").write_text(
        "settings:\n  oidc.ttl: {id_token: 300}\n"
        "clients:\n  board:\n    name: Board\n    metadata:\n"
        "      token_endpoint_auth_method: none\n      redirect_uris: [https://board.example/cb]\n"
    )
    return folder


@pytest.mark.spec("features BEY-12")
def test_a_plan_on_what_was_applied_says_no_change_and_a_change_by_hand_is_drift(
    insula, run, here, folder, slug, platform
):
    planned = insula("plan", str(folder))["changes"]
    assert {"path": "settings/oidc.ttl/id_token", "before": None, "after": 300} in planned[slug]
    assert planned["platform"] == [
        {"path": "values/oidc.ttl/device_code", "before": None, "after": 120}
    ]
    assert insula("apply", str(folder))["changes"] == planned
    assert run("plan", str(folder)).out == "no change\n"
    assert run("drift", str(folder)).out == "no drift\n"

    here("settings", "set", "oidc.ttl", "id_token=900")
    drifted = run("drift", str(folder))
    assert drifted.status == 1
    assert "~ settings/oidc.ttl/id_token: 900 → 300" in drifted.out
    insula("apply", str(folder), "--reason", "back to what was agreed")
    assert here("settings", "history")[0]["reason"] == "back to what was agreed"
    platform("set", "oidc.ttl", "device_code=null")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("platform.yaml", "values: {made.up: {}}", "no such section"),
        ("platform.yaml", "floors: {}", "`values` and `bounds`"),
        ("platform.yaml", "values: {a: {}}\nvalues: {}", "stands twice"),
        ("platform.yaml", "values: [", "is not YAML"),
        ("tenants/nobody.yaml", "settings: {}", "no tenant"),
        ("tenants/x.yaml", "made_up: {}", "tenants/x.yaml: made_up"),
        ("platform.yml", "values: {}", "platform.yaml and platform.yml are about the same"),
        ("tenants/x.yml", "[", "tenants/x.yml: is not YAML"),
        ("tenants/nobody.yml", "settings: {}", "tenants/nobody.yml: There is no tenant"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place_and_nothing_is_done(
    run, here, platform, folder, name, content, told
):
    (folder / name).write_text(content)
    failed = run("apply", str(folder))
    assert failed.status == 1
    assert told in failed.err
    assert here("settings", "export") == {}
    (told,) = [
        row
        for row in platform("list")
        if (row["section"], row["field"]) == ("oidc.ttl", "device_code")
    ]
    assert told["source"] == "default"


@pytest.mark.spec("features BEY-12")
def test_files_own_what_they_set_until_somebody_releases_it_which_is_drift(
    insula, run, here, folder, slug, platform
):
    assert "ownership/oidc.ttl/id_token: owned" in run("plan", str(folder), "--own").out
    too_long = run("apply", str(folder), "--own", "--source", "x" * 201)
    assert (too_long.status, "at most 200" in too_long.err) == (1, True)
    insula("apply", str(folder), "--own", "--source", "commit 4f2a")
    refused = run("settings", "set", "oidc.ttl", "id_token=900", "--tenant", slug)
    assert refused.status == 1
    assert "oidc.ttl.id_token" in refused.err
    (told,) = [row for row in here("settings", "show", "oidc.ttl") if row["field"] == "id_token"]
    assert (told["source"], told["owned_by"], told["source_of_owner"]) == (
        "git", "system", "commit 4f2a",
    )  # fmt: skip
    assert run("drift", str(folder)).out == "no drift\n"

    released = here("settings", "release", "oidc.ttl", "id_token", "--reason", "hotfix")
    assert released == {"section": "oidc.ttl", "released": ["id_token"]}
    drifted = run("drift", str(folder))
    assert drifted.status == 1
    assert "hotfix → owned" in drifted.out
    refused = run("client", "deactivate", "board", "--tenant", slug)
    assert (refused.status, "clients/board" in refused.err) == (1, True)
    given = here("client", "release", "board", "--reason", "hotfix")
    assert given == {"released": "clients/board"}
    assert "ownership/clients/board" in run("drift", str(folder)).out
    here("settings", "set", "oidc.ttl", "id_token=900")
    insula("apply", str(folder))
    assert run("settings", "unset", "oidc.ttl", "--tenant", slug).status == 1
    platform("set", "oidc.ttl", "device_code=null")


@pytest.mark.spec("features BEY-12")
@pytest.mark.parametrize(
    ("section", "field", "strict", "loose", "tenants"),
    [
        ("oidc.ttl", "id_token", 200, 900, "settings: {oidc.ttl: {id_token: 300}}"),
        (
            "oidc.features", "loosest_profile", "oauth21", "standard",
            "clients: {board: {name: B, metadata: {profile: standard, redirect_uris: [https://b.example/cb]}}}",
        ),
    ],
)  # fmt: skip
def test_tenants_are_tried_as_if_the_platforms_part_of_the_folder_were_saved(
    insula, run, here, folder, slug, platform, section, field, strict, loose, tenants
):
    """So a bound that the folder lifts refuses nothing, and one that it sets refuses at once."""

    def say(bound):
        (folder / "platform.yml").write_text(f"bounds: {{{section}: {{{field}: {bound}}}}}\n")

    def bound():
        rows = platform("list")
        return next(r["bound"] for r in rows if (r["section"], r["field"]) == (section, field))

    platform("bound", section, f"{field}={strict}")
    (folder / "platform.yaml").unlink()
    (folder / "tenants" / f"{slug}.yaml").write_text(f"{tenants}\n")
    (folder / "platform.old.yaml").write_text("[")  # of another name, and so left alone
    say(loose)
    planned = insula("plan", str(folder))["changes"]
    assert set(planned) == {"platform", slug}
    assert run("drift", str(folder)).status == 1
    assert insula("apply", str(folder))["changes"] == planned
    assert bound() == loose

    platform("bound", section, f"{field}=null")
    if section == "oidc.ttl":
        here("settings", "unset", section)
    else:
        here("client", "set", "board", "--set", "profile=oauth21")
    say(strict)
    before = here("settings", "history")
    for act, status in (("plan", 1), ("apply", 1), ("drift", 2)):
        failed = run(act, str(folder))
        assert failed.status == status
        assert failed.err.startswith(f"insula: tenants/{slug}.yaml: ")
    assert bound() is None  # nothing was saved before all was tried
    assert here("settings", "history") == before


@pytest.mark.spec("features D04", "features D10")
def test_a_template_is_saved_from_a_file_or_a_tenant_used_and_deleted(
    insula, run, here, slug, platform, tmp_path
):
    file = tmp_path / "enterprise.json"
    file.write_text('{"oidc.ttl": {"id_token": 300}}')
    saved = platform("template", "save", slug, str(file), "--description", "For banks")
    assert (saved["version"], saved["description"]) == (1, "For banks")
    insula("tenant", "create", f"{slug}-b", "--name", "B", "--template", slug)
    (told,) = [
        row
        for row in insula("settings", "show", "oidc.ttl", "--tenant", f"{slug}-b")
        if row["field"] == "id_token"
    ]
    assert (told["value"], told["source"]) == (300, "template")
    unknown = run("tenant", "create", f"{slug}-c", "--template", "not-there")
    assert (unknown.status, "no such template" in unknown.err) == (1, True)

    here("settings", "set", "oidc.ttl", "device_code=120")
    copied = platform("template", "save", slug, "--from-tenant", slug)
    assert (copied["version"], copied["description"], copied["settings"]) == (
        2, "For banks", {"oidc.ttl": {"device_code": 120}},
    )  # fmt: skip
    assert platform("template", "show", slug, "--version", "1")["settings"] == {
        "oidc.ttl": {"id_token": 300}
    }
    assert slug in [row["name"] for row in platform("template", "list")]
    file.write_text("[")
    for mistake in (
        ("save", slug),
        ("save", slug, str(file)),
        ("save", slug, str(file), "--from-tenant", slug),
        ("delete", slug),
        ("delete", "not-there", "--confirm", "not-there"),
    ):
        assert run("platform", "template", *mistake).status == 1
    assert platform("template", "delete", slug, "--confirm", slug) == {"deleted": slug}
