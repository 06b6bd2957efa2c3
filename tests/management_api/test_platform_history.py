"""What the platform had decided, by API: listed, previewed with whom it clamps, restored."""

import secrets

import pytest
from callers import refusal

AT = "/platform/settings/versions"
ANY = {"if-match": "*"}


@pytest.fixture
def decided(platform):
    """Save defaults and bounds of the lifetimes; afterwards nothing of it holds."""

    def decided(part, values):
        answer = platform.put(f"/platform/{part}/oidc.ttl", values, headers=ANY)
        assert answer.status_code == 200, answer.text
        return platform.get(f"{AT}?limit=1").json()["data"][0]["number"]

    yield decided
    for part in ("bounds", "defaults"):
        platform.put(f"/platform/{part}/oidc.ttl", {}, headers=ANY)


@pytest.mark.spec("features J03", "features C05", "features BEY-3")
def test_a_save_of_the_platform_is_previewed_with_whom_it_clamps_and_restored(
    programs, platform, decided
):
    slug = f"hist{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    decided("defaults", {"device_code": 120})
    number = decided("bounds", {"id_token": 900})
    decided("bounds", {"access_token": 1800})
    decided("defaults", {})
    programs.make(slug).patch("/settings/oidc.ttl", {"id_token": 3600})

    kept = platform.get(f"{AT}/{number}").json()["snapshot"]
    assert kept["values"]["oidc.ttl"] == {"device_code": 120}
    assert kept["bounds"]["oidc.ttl"] == {"id_token": 900}
    seen = platform.post(f"{AT}/{number}/preview")
    assert seen.json()["changes"] == [
        {"part": "values", "field": "oidc.ttl.device_code", "before": None, "after": 120},
        {"part": "bounds", "field": "oidc.ttl.access_token", "before": 1800, "after": None},
        {"part": "bounds", "field": "oidc.ttl.id_token", "before": None, "after": 900},
    ]
    named = {each["tenant"]: each["fields"] for each in seen.json()["clamped"]["oidc.ttl"]["named"]}
    assert named[slug] == [{"field": "id_token", "stored": 3600, "would_hold": 900}]
    assert platform.get("/platform/bounds/oidc.ttl").json()["bounds"] == {"access_token": 1800}

    restored = f"{AT}/{number}/restore"
    weak = programs.make("_platforms", ["cross-tenant:write"], dangerous=False)
    refusal(weak.post(restored), 401, "step_up_required")
    refusal(platform.post(restored, headers={"if-match": '"stale"'}), 412, "version_conflict")
    refusal(platform.post(f"{AT}/999999/restore"), 404, "not_found")
    refusal(platform.post(f"{AT}/999999/preview"), 404, "not_found")
    done = platform.post(
        restored, {"reason": "as it was"}, headers={"if-match": seen.headers["etag"]}
    )
    assert done.status_code == 200, done.text
    assert done.json()["changed"] == [
        "oidc.ttl.access_token", "oidc.ttl.device_code", "oidc.ttl.id_token",
    ]  # fmt: skip
    assert platform.get("/platform/bounds/oidc.ttl").json()["bounds"] == {"id_token": 900}
    told = platform.get(f"/tenants/{slug}/config/oidc.ttl?explain=true").json()
    assert (told["values"]["id_token"], told["values"]["device_code"]) == (900, 120)
    newest = platform.get(f"{AT}?limit=1").json()
    assert (newest["data"][0]["act"], newest["data"][0]["reason"]) == (
        "config.rolled_back", "as it was",
    )  # fmt: skip
    older = platform.get(f"{AT}?limit=1&after={newest['next']}").json()["data"][0]
    assert older["number"] == newest["data"][0]["number"] - 1
    assert programs.make("_platforms").post(restored).json()["changed"] == []
    (line,) = [
        line
        for line in programs.product.audit("_platforms", "config.rolled_back")
        if line.metadata["version"] == newest["data"][0]["number"]
    ]
    assert line.target_type == "platform_config"
