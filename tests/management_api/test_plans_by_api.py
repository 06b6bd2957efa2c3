"""Changes that are planned, by API: made, told, counted anew, taken back, put into effect."""

import secrets
from datetime import datetime, timedelta

import pytest
from callers import refusal
from waiting import called_at_once

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
TTL, FEATURES = "/settings/oidc.ttl", "/settings/oidc.features"
DEFAULTS, BOUNDS = "/platform/defaults/oidc.ttl", "/platform/bounds/oidc.features"
ANY = {"if-match": "*"}

pytestmark = pytest.mark.spec("features BEY-3")


@pytest.fixture(scope="module")
def acme(programs):
    slug = f"plan{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


@pytest.fixture
def decided(programs, platform):
    """Nothing of what the platform decides is left, nor a version that others might restore."""
    yield
    for path in (DEFAULTS, BOUNDS):
        platform.delete(f"{path}/plan")
        asked(platform.put(path, {}, headers=ANY), 200)
    programs.product.change("delete from insula.config_versions where scope = 'platform'")


def asked(answer, status=202):
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.spec("features C11", "features CR-4")
def test_a_save_with_days_is_planned_told_replaced_and_taken_back(acme, programs):
    read = acme.get(TTL)
    made = acme.patch(
        f"{TTL}?grace_days=7&reason=The+audit",
        {"id_token": 300},
        headers={"if-match": read.headers["etag"]},
    )
    told = asked(made)
    assert told["changes"] == [{"field": "oidc.ttl.id_token", "before": 600, "after": 300}]
    assert (told["values"], told["reason"]) == ({"id_token": 300}, "The audit")
    assert told["planned_by"]["id"] == acme.client_id
    due, planned = (datetime.fromisoformat(each) for each in (
        told["due_at"], told["planned_by"]["at"],
    ))  # fmt: skip
    assert due - planned == timedelta(days=7)
    shown = acme.get(f"{TTL}?explain=true")
    assert shown.json()["own"] == {}
    seen = shown.json()["planned"]
    assert seen == {name: told[name] for name in seen}
    (listed,) = [s for s in acme.get("/settings").json()["data"] if s["planned"]]
    assert listed["planned"] == seen
    assert acme.get(f"{TTL}/plan").headers["etag"] == made.headers["etag"]

    for stale in (
        acme.patch(TTL, {"id_token": 400}, headers={"if-match": read.headers["etag"]}),
        acme.put(f"{TTL}?grace_days=1", {}, headers={"if-match": read.headers["etag"]}),
        acme.delete(TTL, headers={"if-match": read.headers["etag"]}),
        acme.delete(f"{TTL}/plan", headers={"if-match": '"another"'}),
        acme.post(f"{TTL}/plan/apply", headers={"if-match": '"another"'}),
    ):
        said = refusal(stale, 412, "version_conflict")
        assert "planned to change oidc.ttl.id_token" in said["detail"]
    refusal(acme.put(f"{TTL}?grace_days=1", {}), 428, "precondition_required")
    saved = acme.patch(TTL, {"device_code": 90}, headers={"if-match": shown.headers["etag"]})
    assert asked(saved, 200)["planned"]["values"] == {"id_token": 300}  # a save leaves the plan
    again = asked(acme.put(
        f"{TTL}?grace_days=30", {"access_token": 200}, headers={"if-match": saved.headers["etag"]}
    ))  # fmt: skip
    assert again["values"] == {"access_token": 200, "device_code": None}
    assert {each["field"]: each["after"] for each in again["changes"]} == {
        "oidc.ttl.access_token": 200, "oidc.ttl.device_code": 600,
    }  # fmt: skip
    theirs = programs.product.audit(acme.slug, "config.change_planned")
    assert [line.metadata.get("replaced") for line in theirs] == [["id_token"], None]
    refusal(acme.delete(f"{TTL}/plan", headers={"if-match": made.headers["etag"]}),
            412, "version_conflict")  # fmt: skip
    assert acme.delete(f"{TTL}/plan").status_code == 204
    for gone in (acme.get(f"{TTL}/plan"), acme.delete(f"{TTL}/plan"),
                 acme.post(f"{TTL}/plan/apply")):  # fmt: skip
        refusal(gone, 404, "not_found")
    assert acme.get(TTL).json()["planned"] is None
    assert asked(acme.delete(f"{TTL}?grace_days=1"))["values"] == {"device_code": None}
    assert acme.delete(f"{TTL}/plan").status_code == 204


@pytest.mark.spec("features C02", "features C05")
def test_what_a_save_would_be_refused_for_is_not_planned(acme):
    for query, values, field in (
        ("grace_days=7", {"id_token": 1}, "oidc.ttl.id_token"),
        ("grace_days=7", {"made_up": 1}, "oidc.ttl.made_up"),
        ("grace_days=7", {}, "oidc.ttl"),
        ("grace_days=31", {"id_token": 300}, "grace_days"),
        ("grace_days=-1", {"id_token": 300}, "grace_days"),
        ("grace_days=soon", {"id_token": 300}, "grace_days"),
    ):
        answer = acme.patch(f"{TTL}?{query}", values)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
    refusal(acme.patch("/settings/security.interaction?grace_days=1", {"step_seconds": 60}),
            422, "field_not_overridable")  # fmt: skip
    refusal(acme.patch("/settings/made.up?grace_days=1", {"a": 1}), 404, "section_unknown")
    refusal(acme.get("/settings/security.interaction/plan"), 404, "section_unknown")
    now = asked(acme.patch(f"{TTL}?grace_days=0&reason=Now", {"id_token": 600}), 200)
    assert (now["own"]["id_token"], now["planned"]) == (600, None)
    assert acme.get("/settings/versions").json()["data"][0]["reason"] == "Now"


def test_whom_a_plan_shuts_out_is_counted_when_it_is_made_and_anew_when_it_is_looked_at(
    acme, programs, platform
):
    product, theirs = programs.product, f"/tenants/{acme.slug}/config/oidc.features"
    product.app(acme.slug, grant_types=(DEVICE,), redirect_uris=())
    made = asked(platform.patch(f"{theirs}?grace_days=3&reason=Old", {"device": False}))
    assert [each["affected"] for each in made["shut_out"]] == [1]
    product.app(acme.slug, grant_types=(DEVICE,), redirect_uris=())
    for caller, path in ((acme, FEATURES), (platform, theirs)):
        told = asked(caller.get(f"{path}/plan"), 200)
        assert [each["affected"] for each in told["shut_out"]] == [2]
        assert told["planned_by"]["type"] == "platform"
    assert asked(platform.get(theirs), 200)["planned"]["reason"] == "Old"

    done = asked(platform.post(f"{theirs}/plan/apply"), 200)
    assert (done["own"], done["planned"]) == ({"device": False}, None)
    (line,) = product.audit(acme.slug, "config.updated", target_id="oidc.features")
    assert line.metadata["planned_by"] == {"type": "platform", "id": platform.client_id}
    asked(platform.put(f"{theirs}?grace_days=1", {}, headers=ANY))
    assert platform.delete(f"{theirs}/plan").status_code == 204
    asked(platform.delete(f"{theirs}?grace_days=1"))
    done = asked(acme.post(f"{FEATURES}/plan/apply"), 200)
    assert done["own"] == {}
    refusal(platform.get("/tenants/nobody-here/config/oidc.ttl/plan"), 404, "tenant_not_found")


@pytest.mark.usefixtures("decided")
def test_defaults_and_bounds_are_planned_and_a_bound_tells_whom_it_shuts_out(
    acme, programs, platform
):
    """In tenants that stored what it moves: those are named, a hundred at most."""
    defaults, bounds = DEFAULTS, BOUNDS
    programs.product.app(acme.slug, grant_types=(DEVICE,), redirect_uris=())
    acme.patch(FEATURES, {"device": True})
    proposed = {"section": "oidc.features", "bounds": {"device": False}}
    seen = asked(platform.post("/platform/bounds/preview", proposed), 200)
    assert acme.slug in {each["tenant"] for each in seen["named"]}
    (shut,) = seen["shut_out"]
    assert shut["affected"] >= 1
    assert shut["text"].startswith("In ")
    assert shut["text"].endswith("could not use the device grant any more")
    heirs = seen["inheriting"]
    assert heirs["tenants"] >= 1
    assert heirs["changes"] == [{"field": "oidc.features.device", "before": True, "after": False}]
    assert heirs["looked_at"] > 0
    lifetimes = {"section": "oidc.ttl", "bounds": {"id_token": 900}}
    assert asked(platform.post("/platform/bounds/preview", lifetimes), 200)["shut_out"] == []

    for path, values in ((defaults, {"id_token": 450}), (bounds, {"device": False})):
        refusal(platform.put(f"{path}?grace_days=2", values), 428, "precondition_required")
        made = platform.put(f"{path}?grace_days=2&reason=All", values, headers=ANY)
        assert asked(made)["reason"] == "All"
        shown = platform.get(path)
        assert shown.json()["planned"]["values"] == values
        for stale in ({"if-match": '"old"'},):
            refusal(platform.put(path, {}, headers=stale), 412, "version_conflict")
            refusal(platform.delete(f"{path}/plan", headers=stale), 412, "version_conflict")
    planned = asked(platform.get(f"{defaults}/plan"), 200)
    becomes = [{"field": "oidc.ttl.id_token", "before": 600, "after": 450}]
    assert planned["changes"] == planned["inheriting"]["changes"] == becomes
    assert planned["inheriting"]["tenants"] >= 1
    looked = asked(platform.get(f"{bounds}/plan"), 200)
    assert looked["inheriting"] == heirs
    assert looked["clamped_tenants"] == seen["tenants"]
    assert looked["shut_out"] == seen["shut_out"]
    told = acme.get(TTL).json()
    (coming,) = told["coming"]
    assert (told["planned"], coming["part"], coming["values"]) == (
        None, "defaults", {"id_token": 450},
    )  # fmt: skip
    assert "All" not in str(coming)
    (bound,) = acme.get(FEATURES).json()["coming"]
    assert bound["changes"] == [{"field": "oidc.features.device", "before": True, "after": False}]
    assert platform.delete(f"{defaults}/plan").status_code == 204
    refusal(platform.post(f"{defaults}/plan/apply"), 404, "not_found")
    applied = asked(platform.post(f"{bounds}/plan/apply"), 200)
    assert (applied["bounds"], applied["planned"]) == ({"device": False}, None)
    assert platform.delete(f"{bounds}/plan").status_code == 404
    asked(platform.put(f"{defaults}?grace_days=1", {"id_token": 450}, headers=ANY))
    assert asked(platform.post(f"{defaults}/plan/apply"), 200)["own"] == {"id_token": 450}


def test_of_a_plan_that_is_taken_back_and_applied_at_once_each_caller_is_told_the_truth(
    acme, programs
):
    asked(acme.patch(f"{TTL}?grace_days=7", {"access_token": 240}))
    home = programs.product.tenant_id(acme.slug)

    gone, applied = called_at_once(
        programs.product.db, home,
        lambda: acme.delete(f"{TTL}/plan"), lambda: acme.post(f"{TTL}/plan/apply"),
    )  # fmt: skip

    assert (gone.status_code, applied.status_code) in ((204, 404), (404, 200))
    now = asked(acme.get(TTL), 200)
    assert now["planned"] is None
    assert (now["own"].get("access_token") == 240) == (applied.status_code == 200)
    asked(acme.delete(TTL), 200)
