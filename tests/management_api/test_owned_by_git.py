"""Fields that documents own, by API: claimed, refused to others, explained, released."""

import secrets

import pytest
from callers import refusal
from waiting import called_at_once

TTL = "/settings/oidc.ttl"
ANY = {"if-match": "*"}


@pytest.mark.spec("features BEY-12", "features C11", "features D08")
def test_a_document_claims_fields_others_are_refused_by_name_until_they_release_them(
    programs, platform
):
    slug = f"git{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    pipeline, ada = programs.make(slug), programs.make(slug)
    theirs = f"/tenants/{slug}/config/oidc.ttl"
    document = {"settings": {"oidc.ttl": {"id_token": 300}}}
    refusal(
        pipeline.put("/configuration?own=true&source=" + "x" * 201, document, headers=ANY),
        422, "validation_failed",
    )  # fmt: skip
    done = pipeline.put("/configuration?own=true&source=a1b2c3", document, headers=ANY)
    assert done.json()["changes"][-1] == {
        "path": "ownership/oidc.ttl/id_token", "after": "owned",
    }  # fmt: skip

    for refused in (
        ada.patch(TTL, {"id_token": 400}),
        ada.put(TTL, {}, headers=ANY),
        ada.delete(TTL),
        ada.post("/settings/preview", {"section": "oidc.ttl", "values": {"id_token": 400}}),
        ada.post("/settings/import", {"settings": {}}),
        ada.put("/configuration", {"settings": {}}, headers=ANY),
        pipeline.patch(TTL, {"id_token": 400}),
        platform.patch(theirs, {"id_token": 400}),
        platform.put(theirs, {}, headers=ANY),
        platform.delete(theirs),
    ):
        said = refusal(refused, 409, "owned_by_git")
        assert said["errors"] == [{"field": "oidc.ttl.id_token", "code": "owned_by_git"}]
    assert ada.patch(TTL, {"device_code": 90}).status_code == 200

    told = {f["name"]: f for f in ada.get(f"{TTL}?explain=true").json()["fields"]}
    owner = told["id_token"]["owned_by"]
    assert (told["id_token"]["source"], owner["id"], owner["source"]) == (
        "git", pipeline.client_id, "a1b2c3",
    )  # fmt: skip
    assert (told["device_code"]["source"], told["device_code"]["owned_by"]) == ("tenant", None)
    changed = pipeline.put(
        "/configuration", {"settings": {"oidc.ttl": {"id_token": 600}}}, headers=ANY
    )
    assert changed.status_code == 200, changed.text

    for wrong in (
        {"fields": ["id_token"]},
        {"fields": ["id_token"], "reason": " "},
        {"fields": [], "reason": "why"},
        {"fields": ["access_token"], "reason": "why"},
    ):
        refusal(ada.post(f"{TTL}/release", wrong), 422, "validation_failed")
    weak = programs.make(slug, ["settings:write"], dangerous=False)
    refusal(
        weak.post(f"{TTL}/release", {"fields": ["id_token"], "reason": "x"}),
        401, "step_up_required",
    )  # fmt: skip
    given = ada.post(f"{TTL}/release", {"fields": ["id_token"], "reason": "pipeline is down"})
    told = {f["name"]: f for f in given.json()["fields"]}["id_token"]
    assert (told["owned_by"], told["released"]["reason"]) == (None, "pipeline is down")
    assert ada.patch(TTL, {"id_token": 400}).status_code == 200
    pipeline.put("/configuration", document, headers=ANY)
    released = platform.post(f"{theirs}/release", {"fields": ["id_token"], "reason": "support"})
    assert released.status_code == 200, released.text
    assert platform.delete(theirs).status_code == 200


@pytest.mark.spec("features BEY-12")
def test_objects_that_a_document_names_are_refused_to_others_until_they_release_them(programs):
    slug = f"git{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    pipeline, ada = programs.make(slug), programs.make(slug)
    api = "https://api.acme.example"
    document = {"apis": {api: {"name": "Reports"}}, "claims": {"team": "department"}}
    pipeline.put("/configuration?own=true&source=a1b2c3", document, headers=ANY)

    found = ada.get("/configuration/owned").json()["data"]
    assert [(each["part"], each["name"], each["released"]) for each in found] == [
        ("apis", api, None), ("claims", "team", None),
    ]  # fmt: skip
    assert found[0]["owned_by"]["source"] == "a1b2c3"
    (server,) = ada.get("/resources").json()["data"]
    refused = ada.patch(f"/resources/{server['id']}", {"name": "R"}, headers=ANY)
    refusal(refused, 409, "owned_by_git")

    wanted = {"part": "apis", "name": api, "reason": "the pipeline is down"}
    for wrong in ({**wanted, "reason": " "}, {**wanted, "name": "x"}, {**wanted, "part": "users"}):
        refusal(ada.post("/configuration/release", wrong), 422, "validation_failed")
    weak = programs.make(slug, ["settings:write"], dangerous=False)
    refusal(weak.post("/configuration/release", wanted), 401, "step_up_required")
    told = ada.post("/configuration/release", wanted).json()
    assert (told["owned_by"], told["released"]["reason"]) == (None, "the pipeline is down")
    changed = ada.patch(f"/resources/{server['id']}", {"name": "R"}, headers=ANY)
    assert changed.status_code == 200, changed.text

    ada.put("/configuration?own=true", document, headers=ANY)
    at = programs.product.tenant_id(slug)
    answers = called_at_once(
        programs.product.db, at, *[lambda: ada.post("/configuration/release", wanted)] * 2
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.json()["owned_by"] is None
    said = refusal(lost, 422, "validation_failed")
    assert said["detail"].endswith("No documents own this")
