"""Templates by API: made, saved anew, read back, and what a tenant founded from one has decided."""

import secrets

import pytest
from callers import name, refusal

SETTINGS = {"oidc.ttl": {"id_token": 300}, "application": {"title": "Acme ID"}}
AT = "/platform/templates"


@pytest.fixture
def sample(platform):
    """A template; it is gone afterwards, if the test has not deleted it."""
    made = f"t{secrets.token_hex(5)}"
    answer = platform.post(AT, {"name": made, "description": "For banks", "settings": SETTINGS})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1{AT}/{made}"
    yield made
    platform.delete(f"{AT}/{made}")


@pytest.mark.spec("features D04", "features D10")
def test_a_template_is_made_listed_saved_as_a_version_read_back_and_deleted(platform, sample):
    mine = f"{AT}/{sample}"
    read = platform.get(mine)
    assert read.json()["settings"] == SETTINGS
    assert read.json()["saved_by"]["id"] == platform.client_id
    assert sample in {each["name"] for each in platform.get(AT).json()["data"]}

    again = platform.put(mine, {"description": "For banks", "settings": SETTINGS})
    assert again.json()["version"] == 1
    saved = platform.put(
        mine, {"settings": {"oidc.ttl": {"id_token": 400, "device_code": None}}},
        headers={"if-match": read.headers["etag"]},
    )  # fmt: skip
    assert (saved.json()["version"], saved.json()["settings"]) == (
        2,
        {"oidc.ttl": {"id_token": 400}},
    )
    for stale in (read.headers["etag"], '"x"'):
        refusal(
            platform.put(mine, {"settings": {}}, headers={"if-match": stale}),
            412, "version_conflict",
        )  # fmt: skip
    assert platform.get(f"{mine}?version=1").json()["settings"] == SETTINGS
    refusal(platform.get(f"{mine}?version=3"), 404, "not_found")
    refusal(platform.post(AT, {"name": sample, "settings": {}}), 409, "name_taken")
    assert platform.delete(mine).status_code == 204
    for gone in (platform.get(mine), platform.put(mine, {"settings": {}}), platform.delete(mine)):
        refusal(gone, 404, "not_found")


@pytest.mark.spec("features D10")
@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"settings": {"made.up": {}}}, "validation_failed", "made.up"),
        ({"settings": {"deployment": {}}}, "validation_failed", "deployment"),
        ({"settings": {"oidc.ttl": {"gone": 1}}}, "field_not_overridable", "oidc.ttl.gone"),
        ({"settings": {"oidc.ttl": {"id_token": 1}}}, "validation_failed", "oidc.ttl.id_token"),
        (
            {"settings": {"branding": {"favicon": "/img/" + "0" * 64}}},
            "validation_failed", "branding.favicon",
        ),
        ({"settings": {}, "name": "Not A Name"}, "validation_failed", "name"),
        ({"settings": {}, "description": "two\nlines"}, "validation_failed", "description"),
        ({"settings": {}, "from_tenant": "ours"}, "validation_failed", "settings"),
        ({}, "validation_failed", "settings"),
    ],
)  # fmt: skip
def test_what_no_template_can_hold_is_refused_with_its_field(platform, wanted, code, field):
    said = refusal(platform.post(AT, {"name": name(), **wanted}), 422, code)
    assert said["errors"][0]["field"] == field


@pytest.mark.spec("features D04", "features C11", "features BEY-3")
def test_a_tenant_begins_with_its_template_whose_marks_say_so_and_keeps_it(platform, sample):
    slug = f"born{secrets.token_hex(5)}"
    wanted = {"slug": slug, "display_name": "Born", "template": sample}
    made = platform.post("/tenants", wanted)
    assert made.status_code == 201, made.text
    platform.put(f"{AT}/{sample}", {"settings": {}})
    config = f"/tenants/{slug}/config"
    told = platform.get(f"{config}/oidc.ttl?explain=true").json()
    assert told["own"] == {"id_token": 300}
    mine = {each["name"]: each for each in told["fields"]}["id_token"]
    assert (mine["source"], mine["template"]) == ("template", f"{sample} v1")
    changed = platform.patch(f"{config}/oidc.ttl", {"id_token": 400})
    assert changed.status_code == 200
    mine = {
        each["name"]: each
        for each in platform.get(f"{config}/oidc.ttl?explain=true").json()["fields"]
    }["id_token"]
    assert (mine["source"], mine["template"]) == ("tenant", None)

    copied = platform.put(f"{AT}/{sample}", {"from_tenant": slug})
    assert copied.json()["settings"] == {**SETTINGS, "oidc.ttl": {"id_token": 400}}
    refusal(platform.put(f"{AT}/{sample}", {"from_tenant": name()}), 404, "tenant_not_found")


@pytest.mark.spec("features D04", "features C05")
def test_no_tenant_is_made_from_an_unknown_template_or_one_beyond_a_bound(platform, sample):
    slug = f"born{secrets.token_hex(5)}"
    wanted = {"slug": slug, "display_name": "Born"}
    said = refusal(
        platform.post("/tenants", {**wanted, "template": name()}), 422, "validation_failed"
    )
    assert said["errors"][0]["field"] == "template"
    bound = "/platform/bounds/oidc.ttl"
    platform.put(bound, {"id_token": 200}, headers={"if-match": "*"})
    try:
        said = refusal(
            platform.post("/tenants", {**wanted, "template": sample}), 422, "bound_violated"
        )
    finally:
        platform.put(bound, {}, headers={"if-match": "*"})
    assert (said["errors"][0]["field"], said["errors"][0]["bound"]) == ("oidc.ttl.id_token", 200)
    refusal(platform.get(f"/tenants/{slug}"), 404, "tenant_not_found")
    assert platform.post("/tenants", {**wanted, "template": sample}).status_code == 201


def test_a_tenants_own_door_sees_no_template(ours, product):
    refusal(ours.get(AT), 403, "scope_not_allowed")
    assert product.rows(
        "select has_table_privilege('insula_app', 'insula.tenant_templates', 'select')"
    )[0][0] is False  # fmt: skip
