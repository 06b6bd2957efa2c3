"""Settings by API: a tenant's own, and the platform's with its bounds, each with who and when."""

import re
import secrets

import pytest
from callers import name, refusal
from spine import signed_in

TTL = "/settings/oidc.ttl"


@pytest.fixture
def fresh(programs):
    """A program of a tenant of its own."""
    slug = f"set{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


@pytest.fixture
def bounds(platform):
    """Set bounds of a section; they are taken back afterwards."""
    touched = set()

    def bounds(section, values):
        touched.add(section)
        answer = platform.put(f"/platform/bounds/{section}", values, headers={"if-match": "*"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    yield bounds
    for section in touched:
        bounds(section, {})


@pytest.mark.spec("features C07", "features C09", "features CR-4")
def test_a_section_is_read_changed_replaced_and_reset(fresh):
    read = fresh.get(TTL)
    assert read.json()["own"] == {}
    assert read.json()["values"]["id_token"] == 600

    changed = fresh.patch(TTL, {"id_token": 300}, headers={"if-match": read.headers["etag"]})
    assert changed.json()["own"] == {"id_token": 300}
    refusal(
        fresh.patch(TTL, {"id_token": 301}, headers={"if-match": read.headers["etag"]}),
        412, "version_conflict",
    )  # fmt: skip
    refusal(fresh.put(TTL, {"device_code": 90}), 428, "precondition_required")
    replaced = fresh.put(TTL, {"device_code": 90}, headers={"if-match": changed.headers["etag"]})
    assert replaced.json()["own"] == {"device_code": 90}
    assert replaced.json()["values"]["id_token"] == 600
    assert fresh.delete(TTL).json()["own"] == {}


@pytest.mark.spec("features C02", "features Z01")
def test_what_is_no_section_no_field_or_no_value_is_refused_and_nothing_is_saved(fresh):
    refusal(fresh.get("/settings/made.up"), 404, "section_unknown")
    refusal(fresh.patch("/settings/made.up", {}), 404, "section_unknown")
    said = refusal(fresh.patch(TTL, {"id_token": 300, "made_up": 1}), 422, "field_not_overridable")
    assert said["errors"][0]["field"] == "oidc.ttl.made_up"
    refusal(fresh.patch(TTL, {"id_token": 300, "device_code": "x"}), 422, "validation_failed")
    refusal(
        fresh.patch("/settings/security.interaction", {"step_seconds": 60}),
        422, "field_not_overridable",
    )  # fmt: skip
    assert fresh.get(TTL).json()["own"] == {}


@pytest.mark.spec("features C05", "features C11", "features BEY-3")
def test_a_value_beyond_a_bound_is_refused_with_the_bound_and_who_set_it(fresh, bounds, platform):
    fresh.patch(TTL, {"id_token": 3600})
    affected = platform.post(
        "/platform/bounds/preview", {"section": "oidc.ttl", "bounds": {"id_token": 900}}
    ).json()
    mine = {each["tenant"]: each["fields"] for each in affected["named"]}[fresh.slug]
    assert mine == [{"field": "id_token", "stored": 3600, "would_hold": 900}]

    bounds("oidc.ttl", {"id_token": 900})
    told = {f["name"]: f for f in fresh.get(f"{TTL}?explain=true").json()["fields"]}["id_token"]
    assert (told["effective"], told["own"], told["source"], told["kind"]) == (
        900, 3600, "clamped", "ceil-max",
    )  # fmt: skip
    assert (told["bound"], told["bound_set_by"]["type"]) == (900, "platform")
    said = refusal(fresh.patch(TTL, {"id_token": 901}), 422, "bound_violated")
    (error,) = said["errors"]
    assert (error["field"], error["bound"]) == ("oidc.ttl.id_token", 900)
    assert error["set_by"].startswith(f"platform {platform.client_id}")
    refusal(
        fresh.post("/settings/preview", {"section": "oidc.ttl", "values": {"id_token": 901}}),
        422, "bound_violated",
    )  # fmt: skip
    said = refusal(
        platform.put(
            "/platform/bounds/oidc.features", {"op_tos_uri": "https://x.example"},
            headers={"if-match": "*"},
        ),
        422, "field_not_overridable",
    )  # fmt: skip


@pytest.mark.spec("features C05", "features J03")
def test_a_tenant_is_told_by_name_who_of_the_platform_has_set_a_bound(fresh, programs, platform):
    """Their id means nothing to a tenant, which cannot look it up."""
    scopes = ("cross-tenant:read", "cross-tenant:write")
    facts = {"display_name": "Olga Operator"}
    olga = programs.for_person("_platforms", ("platform_admin",), scopes, **facts)
    path, at_hand = "/platform/bounds/oidc.ttl", {"if-match": "*"}
    set_ = olga.put(path, {"id_token": 900}, headers=at_hand)
    assert set_.status_code == 200, set_.text
    try:
        told = {f["name"]: f for f in fresh.get(f"{TTL}?explain=true").json()["fields"]}
        assert told["id_token"]["bound_set_by"]["name"] == "Olga Operator"
        (error,) = refusal(fresh.patch(TTL, {"id_token": 901}), 422, "bound_violated")["errors"]
        assert error["set_by"].startswith("platform Olga Operator at 20")
        last = platform.get("/platform/settings/versions").json()["data"][0]
        assert (last["by"]["name"], last["by"]["id"]) == ("Olga Operator", str(olga.person.id))
        late = platform.put(path, {}, headers={"if-match": '"old"'})
        assert "platform Olga Operator at " in refusal(late, 412, "version_conflict")["detail"]
    finally:
        platform.put(path, {}, headers=at_hand)
    own = fresh.patch(TTL, {"id_token": 300}).json()
    assert own["own"] == {"id_token": 300}
    told = {f["name"]: f for f in fresh.get(f"{TTL}?explain=true").json()["fields"]}["id_token"]
    assert (told["set_by"]["id"], told["set_by"]["name"]) == (fresh.client_id, None)


@pytest.mark.spec("features C04", "features C05", "features C11", "features BEY-3")
def test_no_limit_and_lists_are_bound_as_numbers_are(fresh, bounds, platform, programs):
    held = {
        "security.session": ("absolute_timeout_hours", 0, 24, 12, "ceil-max0"),
        "oidc.scopes": (
            "supported_scopes", ["openid", "email", "phone"], ["openid", "email"], ["openid"],
            "subset",
        ),
    }  # fmt: skip
    for section, (field, beyond, bound, within, kind) in held.items():
        path = f"/settings/{section}"
        assert fresh.patch(path, {field: beyond}).json()["own"] == {field: beyond}
        wanted = {"section": section, "bounds": {field: bound}}
        affected = platform.post("/platform/bounds/preview", wanted).json()
        mine = {each["tenant"]: each["fields"] for each in affected["named"]}[fresh.slug]
        assert mine == [{"field": field, "stored": beyond, "would_hold": bound}]
        assert bounds(section, {field: bound})["kinds"][field] == kind
        told = {f["name"]: f for f in fresh.get(f"{path}?explain=true").json()["fields"]}[field]
        assert (told["effective"], told["own"], told["source"], told["kind"], told["bound"]) == (
            bound, beyond, "clamped", kind, bound,
        )  # fmt: skip
        fresh.patch(path, {field: within})
        (error,) = refusal(fresh.patch(path, {field: beyond}), 422, "bound_violated")["errors"]
        assert (error["field"], error["bound"]) == (f"{section}.{field}", bound)
        taker = programs.make(fresh.slug)  # such acts are few a minute
        exported = taker.get("/settings/export").json()["settings"]
        assert exported[section] == {field: within}
        broken = {"settings": {**exported, section: {field: beyond}}}
        refusal(taker.post("/settings/import", broken), 422, "bound_violated")
    bounds("security.session", {"absolute_timeout_hours": 0})  # binds nothing
    unlimited = {"absolute_timeout_hours": 0, "idle_timeout_minutes": 0}
    assert fresh.patch("/settings/security.session", unlimited).json()["own"] == unlimited
    for wrong in ({"absolute_timeout_hours": -1}, {"max_concurrent_sessions": 1001}):
        refusal(fresh.patch("/settings/security.session", wrong), 422, "validation_failed")
    for wrong in (["email"], ["openid", "made_up"], "openid", []):
        refusal(
            fresh.patch("/settings/oidc.scopes", {"supported_scopes": wrong}), 422,
            "validation_failed",
        )  # fmt: skip
    product = fresh.product
    person = product.person(fresh.slug)
    with signed_in(product, fresh.slug, product.app(fresh.slug), person):
        (session,) = fresh.get(f"/sessions?user_id={person.id}").json()["data"]
    assert (session["active"], session["expires_at"]) == (True, None)


@pytest.mark.spec("features BEY-3")
def test_a_preview_says_what_would_hold_and_saves_nothing(fresh):
    wanted = {"section": "oidc.ttl", "values": {"id_token": 300}}
    assert fresh.post("/settings/preview", wanted).json() == {
        "changes": [{"field": "oidc.ttl.id_token", "before": 600, "after": 300}],
        "shut_out": [],
    }
    assert fresh.get(TTL).json()["own"] == {}


@pytest.mark.spec("features J03")
def test_saves_are_versions_that_are_listed_read_exported_imported_and_restored(fresh, programs):
    fresh.patch(TTL, {"id_token": 300})
    fresh.patch(TTL, {"id_token": 400})
    page = fresh.get("/settings/versions?limit=1").json()
    older = fresh.get(f"/settings/versions?limit=1&after={page['next']}").json()
    assert [page["data"][0]["number"], older["data"][0]["number"]] == [2, 1]
    detail = fresh.get("/settings/versions/1").json()
    assert detail["snapshot"] == {"oidc.ttl": {"id_token": 300}}
    assert detail["by"]["id"] == fresh.client_id
    assert fresh.post("/settings/versions/1/restore").json() == {"changed": ["oidc.ttl.id_token"]}
    refusal(fresh.post("/settings/versions/99/restore"), 404, "not_found")

    exported = fresh.get("/settings/export").json()
    assert exported == {"settings": {"oidc.ttl": {"id_token": 300}}}
    wanted = {"settings": {"application": {"title": "Acme ID"}}, "reason": "moved"}
    other = programs.make(fresh.slug)  # four acts of this kind are too many for one
    assert other.post("/settings/import", wanted).json()["changed"] == [
        "application.title", "oidc.ttl.id_token",
    ]  # fmt: skip
    newest = fresh.get("/settings/versions?limit=1").json()["data"][0]
    assert (newest["reason"], newest["act"]) == ("moved", "config.imported")


@pytest.mark.spec("features J03", "features W01", "features Z02")
def test_an_export_is_recorded_and_may_be_made_three_times_a_minute(programs, fresh):
    fresh.patch(TTL, {"id_token": 300})
    read = fresh.get("/settings").headers["ratelimit"]
    exports = [fresh.get(f"/settings/export{query}") for query in ("", "?secrets=sealed", "")]
    refused = fresh.get("/settings/export")
    reader = programs.make(fresh.slug, ["audit:read"])
    refusal(reader.get("/settings/export"), 403, "forbidden")

    assert [answer.status_code for answer in exports] == [200, 200, 200]
    assert {answer.headers["etag"] for answer in exports} == {exports[0].headers["etag"]}
    assert exports[0].headers["ratelimit-policy"] == '"sensitive";q=3;w=60'
    refusal(refused, 429, "rate_limited")
    assert read.startswith('"read"')
    lines = reader.get("/audit?event=config.exported").json()["data"]
    assert [line["metadata"] for line in lines] == [
        {"sections": ["oidc.ttl"], "sealed": sealed} for sealed in (False, True, False)
    ]
    assert {(line["actor"]["id"], line["status"]) for line in lines} == {(fresh.client_id, "info")}


@pytest.mark.spec("features C08", "features D08", "features Z01")
def test_the_platform_sets_what_tenants_inherit_and_a_tenants_own(fresh, platform):
    config = f"/tenants/{fresh.slug}/config"
    defaults = platform.get("/platform/defaults/oidc.ttl")
    saved = platform.put(
        "/platform/defaults/oidc.ttl", {"device_code": 120},
        headers={"if-match": defaults.headers["etag"]},
    )  # fmt: skip
    try:
        assert saved.json()["own"] == {"device_code": 120}
        assert fresh.get(TTL).json()["values"]["device_code"] == 120
        refusal(
            platform.put(
                "/platform/defaults/oidc.ttl", {}, headers={"if-match": defaults.headers["etag"]}
            ),
            412, "version_conflict",
        )  # fmt: skip
    finally:
        platform.put("/platform/defaults/oidc.ttl", {}, headers={"if-match": "*"})

    shown = platform.put(
        f"{config}/branding", {"companyName": "Acme Corp"}, headers={"if-match": "*"}
    )
    assert shown.json()["own"] == {"company_name": "Acme Corp"}
    (branding,) = [
        each for each in platform.get(config).json()["data"] if each["section"] == "branding"
    ]
    assert branding["own"] == {"company_name": "Acme Corp"}
    assert fresh.get("/settings/branding").json()["own"] == {"company_name": "Acme Corp"}
    by = fresh.get("/settings/versions?limit=1").json()["data"][0]["by"]
    assert (by["type"], by["id"]) == ("platform", platform.client_id)
    assert platform.delete(f"{config}/branding").json()["own"] == {}
    refusal(platform.get("/tenants/nobody/config"), 404, "tenant_not_found")


@pytest.mark.spec("features A11", "features D09")
def test_the_stateless_gateway_decides_nothing(platform):
    where = "/tenants/_ops/config/application"
    for refused in (
        platform.patch(where, {"title": "Ops"}),
        platform.patch(f"{where}?grace_days=3", {"title": "Ops"}),
        platform.put(where, {"title": "Ops"}, headers={"if-match": "*"}),
        platform.delete(where),
    ):
        refusal(refused, 409, "tenant_protected")
    shown = platform.get(where).json()
    assert (shown["own"], shown["planned"]) == ({}, None)


@pytest.mark.spec("features BEY-12")
def test_the_whole_configuration_is_read_tried_and_replaced_on_condition(fresh):
    read = fresh.get("/configuration")
    document = read.json()
    assert fresh.client_id in document["clients"]
    assert fresh.secret not in read.text
    wanted = {"settings": {"oidc.ttl": {"id_token": 300}}}
    refusal(fresh.put("/configuration", wanted), 428, "precondition_required")
    seen = {"if-match": read.headers["etag"]}
    tried = fresh.put("/configuration?dry_run=true", wanted, headers=seen).json()
    assert tried["changes"] == [
        {"path": "settings/oidc.ttl/id_token", "after": 300}
    ]  # fmt: skip
    assert fresh.get(TTL).json()["own"] == {}
    done = fresh.put("/configuration", wanted, headers=seen)
    assert done.json()["changes"] == tried["changes"]
    assert fresh.get("/configuration").headers["etag"] == done.headers["etag"]
    refusal(fresh.put("/configuration", wanted, headers=seen), 412, "version_conflict")


@pytest.mark.spec("features D12", "features BEY-6")
def test_a_tenant_is_deleted_looked_at_and_brought_back(platform):
    slug = name()
    assert platform.post("/tenants", {"slug": slug, "display_name": "Gone Ltd"}).status_code == 201
    gone = platform.delete(f"/tenants/{slug}?reason=moved")
    assert (gone.status_code, gone.json()["state"]) == (202, "scheduled")
    assert platform.get(f"/tenants/{slug}").json()["status"] == "deleting"
    refusal(platform.delete(f"/tenants/{slug}"), 409, "duplicate")
    assert platform.get(f"/tenants/{slug}/deletion").json()["reason"] == "moved"
    assert platform.patch(f"/tenants/{slug}/deletion", {"paused": True}).status_code == 200
    back = platform.post(f"/tenants/{slug}/undo-delete")
    assert back.json() == {"slug": slug, "status": "active"}
    refusal(platform.post(f"/tenants/{slug}/undo-delete"), 404, "not_found")
    refusal(platform.delete("/tenants/_platforms"), 409, "tenant_protected")
    refusal(platform.delete("/tenants/nobody"), 404, "tenant_not_found")


def test_jobs_are_listed_and_what_is_none_is_not_found(platform):
    page = platform.get("/platform/jobs?limit=2").json()
    assert set(page) >= {"data", "has_more"}
    refusal(platform.get("/platform/jobs?status=perhaps"), 422, "validation_failed")
    for act in (platform.get, platform.delete):
        refusal(act("/platform/jobs/999999999"), 404, "not_found")
    refusal(platform.post("/platform/jobs/999999999/retry"), 404, "not_found")


@pytest.mark.spec("features J01", "features J08", "features C09")
def test_colours_and_fonts_change_the_stylesheet_of_the_tenants_pages(fresh):
    product, look = fresh.product, "/settings/branding"

    def sheet():
        with product.http() as http:
            page = http.get(product.url(fresh.slug, "/sign-in"), follow_redirects=True)
            (href,) = re.findall(r'href="(/branding/[0-9a-f]{12}\.css)"', page.text)
            policy = page.headers["content-security-policy"]
            assert ("style-src 'self'" in policy, "font-src 'self'" in policy) == (True, True)
            assert "unsafe" not in policy
            answer = http.get(product.url(fresh.slug, href))
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            fonts = re.findall(r'href="(/static/\w+/vendor)/fonts\.css"', page.text)
            font = http.get(product.url(fresh.slug, f"{fonts[0]}/lora-latin-wght-normal.woff2"))
            assert font.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert font.headers["content-type"] == "font/woff2"
            return href, answer.text

    before, plain = sheet()
    refused = fresh.patch(look, {"palette_light_on_surface": "#dddddd", "font_body": "Lora"})
    said = refusal(refused, 422, "validation_failed")
    assert said["errors"][0]["field"] == "branding.palette_light_on_surface"
    assert "on_surface on surface (derived) in the light theme would have a" in said["detail"]
    refusal(fresh.patch(look, {"font_body": "Comic Sans"}), 422, "validation_failed")
    refusal(fresh.patch(look, {"palette_light_success": "#00ff00"}), 422, "field_not_overridable")
    assert sheet() == (before, plain)

    asked = {"palette_light_background": "#0b1f3a", "palette_dark_link": "#f5d0fe"}
    done = fresh.patch(look, {**asked, "font_body": "Lora"})
    assert done.json()["own"] == {**asked, "font_body": "Lora"}
    after, painted = sheet()
    assert after != before
    assert "--brand-bg: light-dark(#0b1f3a, " in painted
    assert "--link: light-dark(#" in painted
    assert "#f5d0fe" in painted
    assert '--sans: "Lora Variable"' in painted
    fresh.patch(look, dict.fromkeys(asked) | {"font_body": None})
    assert sheet() == (before, plain)
