"""Settings on pages: inherited, set, bound, reviewed, saved, lost to somebody, brought back."""

import json
import re
from uuid import uuid4

import pytest
from pressing import submit

from insula.audit.models import SYSTEM, Actor
from insula.config_overrides import service
from insula.config_overrides.saving import Saving
from insula.configuration.applying import Applying, apply
from insula.configuration.models import parse_document
from insula.platform.sections import CATALOGUE
from insula.tenancy.models import PLATFORMS

SHORTER = "Device code: 1,200 seconds = 20 minutes becomes 900 seconds = 15 minutes"


def stored(product, tenant, key):
    rows = product.rows(
        "select value from insula.tenant_settings where tenant_id = %s and section = %s",
        product.tenant_id(tenant), key,
    )  # fmt: skip
    return rows[0].value if rows else {}


@pytest.mark.spec("features C07", "features C09", "features D08", "features J02", "features UI-4")
def test_a_value_is_inherited_set_in_force_and_reset(
    product, browser, section, save, runner, tenant
):
    page = section("oidc.ttl")
    assert "Inherited from what is built in" in page.text
    assert "Set here" not in page.text

    review = submit(browser, page, "/review", device_code="300", client_credentials="600")
    assert "Review 1 change" in review.text
    assert "600 seconds = 10 minutes" in review.text
    assert "300 seconds = 5 minutes" in review.text
    assert "oidc.ttl.device_code" in review.text
    assert stored(product, tenant, "oidc.ttl") == {}
    again = submit(browser, review, "/config/oidc.ttl", back="1")
    assert "Changed, not saved" in again.text
    done = save(page, device_code="300", reason="An audit asks for it")
    assert "Saved." in done.text
    assert "Set here by Ada Lovelace" in done.text
    assert "Reset to inherited (600 seconds = 10 minutes)" in done.text
    assert stored(product, tenant, "oidc.ttl") == {"device_code": 300}
    (line,) = product.audit(tenant, "config.updated")
    assert (line.actor_type, line.actor_id) == ("platform", str(runner.id))
    assert line.metadata["reason"] == "An audit asks for it"
    activity = section("oidc.ttl").url.replace("/config/oidc.ttl", "/activity")
    assert "device_code: nothing → 300" in browser.open(activity).text

    unchanged = submit(browser, section("oidc.ttl"), "/review")
    assert "Nothing is changed" in unchanged.text
    reset = section("oidc.ttl/reset?field=device_code")
    assert "Review 1 change" in reset.text
    assert "Inherited" in submit(browser, reset, "/config/oidc.ttl", save="1").text
    assert stored(product, tenant, "oidc.ttl") == {}


@pytest.mark.spec("features C02", "features C05", "features UI-4")
@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("oidc.ttl", {"device_code": "59"}, "At least 60."),
        ("oidc.ttl", {"device_code": "1801"}, "At most 1,800."),
        ("oidc.ttl", {"device_code": "soon"}, "A whole number."),
        ("oidc.ttl", {"device_code": ""}, "Enter a number."),
        ("application", {"title": "x" * 81}, "At most 80 characters."),
        ("branding", {"accent_color": "red"}, "Must be # and six hexadecimal digits"),
        ("branding", {"accent_color": "#ffff00"}, "the nearest that passes is #"),
        ("oidc.ttl", {"id_token": "9" * 20}, "ID token: At most"),
        ("oidc.ttl", {"id_token": "-" + "9" * 20}, "ID token: At least"),
        ("oidc.features", {"registration": "maybe"}, "One of"),
        ("integrations.urls", {"website": "javascript:alert(1)"}, "Website:"),
    ],
)
def test_an_invalid_value_is_refused_beside_its_field_and_kept(
    product, browser, section, tenant, key, typed, said
):
    refused = submit(browser, section(key), "/review", **typed)

    ((name, value),) = typed.items()
    assert refused.status == 422
    assert said in refused.text
    assert refused.text.startswith("Error: ")
    assert f'id="{name}-note"' in refused.response.text
    form = next(form for form in refused.forms if form.action.endswith("/review"))
    assert form.values.get(name, value) == value
    assert stored(product, tenant, key) == {}


@pytest.mark.spec("features C02", "features UI-4")
def test_zeros_before_a_number_are_nothing_however_many(browser, section):
    zeros = "0" * 5000
    refused = submit(browser, section("oidc.ttl"), "/review", device_code=zeros)
    assert (refused.status, "At least 60." in refused.text) == (422, True)
    below = submit(browser, section("oidc.ttl"), "/review", device_code=f"-{zeros}300")
    assert (below.status, "At least 60." in below.text) == (422, True)
    review = submit(browser, section("oidc.ttl"), "/review", device_code=f"{zeros}300")
    assert "300 seconds = 5 minutes" in review.text


@pytest.mark.spec("features CR-4", "features UI-4")
def test_the_second_of_two_sees_who_saved_what_and_keeps_what_was_typed(browser, section, save):
    early, late = section("oidc.ttl"), section("oidc.ttl")
    reviewed = submit(browser, late, "/review", client_credentials="900")
    save(early, device_code="300")

    for lost in (
        submit(browser, reviewed, "/config/oidc.ttl", save="1"),
        submit(browser, late, "/review", client_credentials="900"),
    ):
        assert lost.status == 409
        assert "Ada Lovelace changed Device code just now." in lost.text
        form = next(form for form in lost.forms if form.action.endswith("/review"))
        assert form.values["client_credentials"] == "900"
        assert "Review" in submit(browser, lost, "/review").text


@pytest.mark.spec("features C04", "features C05", "features UI-4", "features J09")
def test_no_limit_and_a_list_are_set_and_bound_on_pages(
    product, browser, section, platforms, save, tenant
):
    done = save(section("security.session"), absolute_timeout_hours="0")
    assert "Reset to inherited (720 hours = 30 days)" in done.text
    assert "hours = unlimited" in done.text
    review = submit(browser, done, "/review", idle_timeout_minutes="0")
    assert "20,160 minutes = 14 days" in review.text
    assert "unlimited" in review.text
    page = platforms("bounds/security.session")
    review = submit(browser, page, "/review", absolute_timeout_hours="24")
    assert f"{tenant} Absolute timeout: unlimited becomes 24 hours = 1 day" in review.text
    submit(browser, review, "/bounds/security.session", save="1")
    held = section("security.session")
    assert "24 hours = 1 day is in force" in held.text
    assert "“unlimited” is stored" in held.text
    save(held, absolute_timeout_hours="12")
    refused = submit(
        browser, section("security.session"), "/review", absolute_timeout_hours="0",
        max_concurrent_sessions="3",
    )  # fmt: skip
    assert "at most 24 hours = 1 day, and 0 is unlimited; set by Ada" in refused.text

    page = section("oidc.scopes")
    boxes = [box for box in page.forms[-1].ticked if box[0] == "supported_scopes"]
    assert len(boxes) == 6
    wrong = submit(browser, page, "/review", supported_scopes=None)
    assert "Must hold openid." in wrong.text
    left = ["openid", "profile", "email"]
    review = submit(browser, page, "/review", supported_scopes=left)
    assert "openid, profile, email, address, phone, offline_access" in review.text
    done = save(page, supported_scopes=left)
    assert stored(product, tenant, "oidc.scopes") == {"supported_scopes": left}
    assert "Nothing is changed" in submit(browser, done, "/review").text

    page = platforms("bounds/oidc.scopes")
    assert "Nothing marked: each tenant decides." in page.text
    assert "Nothing is changed" in submit(browser, page, "/review").text
    review = submit(browser, page, "/review", supported_scopes=["openid", "email"])
    assert f"{tenant} Supported scopes: openid, profile, email becomes openid, email" in review.text
    submit(browser, review, "/bounds/oidc.scopes", save="1")
    held = section("oidc.scopes")
    assert "In force: openid, email" in held.text
    assert held.text.count("Not allowed by the platform") == 4
    assert "Nothing is changed" in submit(browser, held, "/review").text
    more = submit(browser, held, "/review", supported_scopes=["openid", "phone"])
    assert "The platform allows no phone; set by Ada" in more.text
    for key in ("security.session", "oidc.scopes"):
        lifted = submit(browser, platforms(f"bounds/{key}/reset"), f"/bounds/{key}", save="1")
        assert "Saved." in lifted.text


@pytest.mark.spec("features C03", "features C05", "features BEY-3")
def test_a_stricter_bound_is_previewed_clamps_and_says_who_set_it(
    product, browser, section, platforms, save, tenant
):
    save(section("oidc.ttl"), device_code="1200")
    page = platforms("bounds/oidc.ttl")
    assert "No bound." in page.text
    review = submit(browser, page, "/review", device_code="900")
    assert "1 tenant has stored something beyond it" in review.text
    assert f"{tenant} {SHORTER}" in review.text
    assert not product.rows("select from insula.platform_settings where bounds <> '{}'")
    none = submit(browser, page, "/review", device_code="1800")
    assert "No tenant has stored anything beyond it" in none.text
    assert "Saved." in submit(browser, review, "/bounds/oidc.ttl", save="1", reason="Audit").text

    clamped = section("oidc.ttl")
    assert "900 seconds = 15 minutes is in force" in clamped.text
    assert "“1,200 seconds = 20 minutes” is stored" in clamped.text
    assert "Set by Ada Lovelace" in clamped.text
    refused = submit(browser, clamped, "/review", device_code="901")
    assert refused.status == 422
    assert "The platform allows at most 900 seconds = 15 minutes; set by Ada" in refused.text
    lifted = submit(
        browser, platforms("bounds/oidc.ttl/reset?field=device_code"), "/bounds/oidc.ttl", save="1"
    )
    assert "Saved." in lifted.text
    assert "1 clamped" not in section("oidc.ttl").text


@pytest.mark.spec("features C03", "features C04", "features UI-4")
def test_floors_and_orders_lock_what_they_leave_no_choice_of(browser, section, platforms, save):
    save(platforms("bounds/oidc.features"), require_pkce="on", device="off", registration="token")
    page = section("oidc.features")
    html = page.response.text

    assert "Always on" in page.text
    assert "Always off" in page.text
    assert "Floor: token" in page.text
    assert "<option disabled>open</option>" in html
    form = next(form for form in page.forms if form.action.endswith("/review"))
    named = form.values["fields"].split(",")
    assert "require_pkce" not in named
    assert "device" not in named
    refused = submit(browser, page, "/review", registration="open")
    assert refused.status == 422
    assert "nothing looser than “token”" in refused.text
    review = submit(browser, page, "/review", par="", dpop_nonce="1")
    forced = submit(
        browser, review, "/config/oidc.features", changes='{"require_pkce": false}', save="1"
    )
    assert forced.status == 422
    assert "The platform keeps this on" in forced.text


@pytest.mark.spec("features C08", "features J01")
def test_defaults_are_inherited_and_the_platforms_own_are_read_only(
    product, browser, section, platforms, save, viewing, at, tenant
):
    index = platforms("defaults")
    assert "Token lifetimes" in index.text
    save(platforms("defaults/oidc.ttl"), client_credentials="1200")
    assert "Inherited from the platform" in section("oidc.ttl").text
    save(platforms("defaults/deployment"), tenant_delete_grace_days="7")
    assert (
        "For 7 days this can be undone"
        in browser.open(at(f"/platform/tenants/{tenant}/delete")).text
    )
    wrong = submit(browser, platforms("defaults/deployment"), "/review",
                   tenant_delete_grace_days="0")  # fmt: skip
    assert wrong.status == 422

    ours = section("deployment")
    assert "The platform decides this section" in ours.text
    assert "Review changes" not in ours.text
    shown = viewing.open(at(f"/platform/tenants/{tenant}/config/oidc.ttl"))
    assert "Review changes" not in shown.text
    history = platforms("defaults/history")
    assert "Unknown" not in history.text
    assert "Token lifetimes: Client credentials" in history.text
    for path in ("bounds/deployment", "bounds/branding", "defaults/odd"):
        assert browser.get(at(f"/platform/{path}")).status_code == 404
    assert product.audit(PLATFORMS, "config.updated", target_id="deployment")


@pytest.mark.spec("features J03", "features C09")
def test_saves_are_a_history_that_leads_back(product, browser, section, save, tenant):
    save(section("application"), title="First", reason="To begin with")
    save(section("application"), title="Second", description="More")
    history = section("history")
    assert "To begin with" in history.text
    first = section("history/1")
    assert "Application: Title" in first.text
    stale = section("history/1")
    restored = submit(browser, first, "/history/1", reason="Back")
    assert "The version is decided again" in restored.text
    assert stored(product, tenant, "application") == {"title": "First"}
    assert submit(browser, stale, "/history/1").status == 409
    assert "there is nothing to restore" in section("history/1").text

    reset = section("application/reset")
    submit(browser, reset, "/config/application", save="1")
    assert stored(product, tenant, "application") == {}
    assert [line.metadata["version"] for line in product.audit(tenant, "config.rolled_back")] == [3]


@pytest.mark.spec("features J03", "features W01")
def test_settings_are_taken_away_and_brought_as_a_file(
    product, browser, at, section, save, tenant, runner
):
    save(section("branding"), company_name="Acme & <Sons>")
    file = browser.get(at(f"/platform/tenants/{tenant}/config/export.json"))
    assert file.json() == {"branding": {"company_name": "Acme & <Sons>"}}
    (line,) = product.audit(tenant, "config.exported")
    assert (line.actor_type, line.actor_id) == ("platform", str(runner.id))
    assert line.metadata == {"sections": ["branding"], "sealed": False}

    page = section("import")
    same = submit(browser, page, "/import", document=file.text, look="1")
    assert "Nothing would change" in same.text
    wanted = json.dumps({"oidc.ttl": {"client_credentials": 900}})
    review = submit(browser, page, "/import", document=wanted, look="1")
    assert "Import 2 changes" in review.response.text
    assert stored(product, tenant, "branding")
    done = submit(browser, review, "/import", save="1", reason="From the old one")
    assert "The settings are imported" in done.text
    assert stored(product, tenant, "branding") == {}
    assert stored(product, tenant, "oidc.ttl") == {"client_credentials": 900}
    for odd, said in (
        ("{", "This is not JSON"),
        ("[]", "An object of sections is needed"),
        ('{"odd": {}}', "decides no such section"),
        ('{"oidc.ttl": {"odd": 1}}', "there is no such field"),
    ):
        refused = submit(browser, page, "/import", document=odd, look="1")
        assert refused.status == 422
        assert said in refused.text
    late = submit(browser, review, "/import", save="1")
    assert late.status == 409


@pytest.mark.spec("features J03")
def test_a_file_of_the_api_is_taken_too_and_what_could_not_be_saved_is_no_diff(
    product, browser, section, tenant
):
    page = section("import")
    assert '{"settings": {"SECTION": {"FIELD": "VALUE"}}, "reason": "WHY"}' in page.text
    wanted = {"settings": {"oidc.ttl": {"id_token": 300}}, "reason": "As in the pilot"}
    review = submit(browser, page, "/import", document=json.dumps(wanted), look="1")
    assert "Import 1 change" in review.response.text
    assert 'value="As in the pilot"' in review.response.text
    assert stored(product, tenant, "oidc.ttl") == {}
    assert product.audit(tenant, "config.imported") == []
    submit(browser, review, "/import", save="1")
    assert stored(product, tenant, "oidc.ttl") == {"id_token": 300}
    (line,) = product.audit(tenant, "config.imported")
    assert line.metadata["reason"] == "As in the pilot"

    for odd in ({"id_token": 10**6}, {"id_token": True}, {"id_token": "soon"}):
        refused = submit(browser, page, "/import", document=json.dumps({"oidc.ttl": odd}), look="1")
        assert (refused.status, "What the import changes" in refused.text) == (422, False)
        assert "Token lifetimes: ID token" in refused.text
    old = json.dumps({"settings": {"oidc.ttl": {"id_token": "300"}}})
    same = submit(browser, page, "/import", document=old, look="1")
    assert "Nothing would change" in same.text  # it is compared as it would be stored
    refused = submit(browser, page, "/import", document='{"settings": []}', look="1")
    assert "An object of sections is needed" in refused.text


@pytest.mark.spec("features J08")
def test_a_colour_is_taken_from_its_text_or_from_the_picker_beside_it(
    product, section, save, tenant
):
    save(section("branding"), **{"accent_color.picked": "#0067b8"})
    assert stored(product, tenant, "branding") == {"accent_color": "#0067b8"}
    save(section("branding"), accent_color="#7a3e9d")
    assert stored(product, tenant, "branding") == {"accent_color": "#7a3e9d"}


@pytest.mark.spec("features BEY-12", "features UI-4")
def test_a_field_that_files_own_is_locked_with_their_name_until_it_is_released(
    product, browser, section, save, tenant, viewing
):
    save(section("oidc.ttl"), client_credentials="900")
    own_by_files(product, tenant, {"oidc.ttl": {"device_code": 300, "client_credentials": 900}})
    page = section("oidc.ttl")
    assert "Owned by Git. Claimed by the command line" in page.text
    assert "Source: commit 4f2a." in page.text
    assert "Reset to inherited" not in page.text
    form = next(form for form in page.forms if form.action.endswith("/review"))
    assert "device_code" not in form.values["fields"].split(",")
    assert section("oidc.ttl/reset?field=device_code").path.endswith("/config/oidc.ttl")
    review = submit(browser, page, "/review", pushed_request="90")
    forced = submit(browser, review, "/config/oidc.ttl", changes='{"device_code": 900}', save="1")
    assert forced.status == 409
    assert "Device code: Owned by Git" in forced.text
    version = section("history/1")
    restored = submit(browser, version, "/history/1", save="1")
    assert restored.status == 409
    assert "Token lifetimes: Device code is owned by Git." in restored.text

    assert "Release Device code…" not in viewing.open(page.url).text
    asked = section("oidc.ttl/release?field=device_code")
    silent = submit(browser, asked, "/release", reason="")
    assert (silent.status, "Say why" in silent.text) == (422, True)
    done = submit(browser, asked, "/release", reason="The pipeline is down")
    assert "Taken from Git. Released by Ada Lovelace" in done.text
    assert "“The pipeline is down”" in done.text
    assert "Saved." in save(done, device_code="900").text
    assert stored(product, tenant, "oidc.ttl")["device_code"] == 900
    submit(
        browser, section("oidc.ttl/release"), "/release",
        **{"field.client_credentials": "1"}, reason="all of it",
    )  # fmt: skip
    assert section("oidc.ttl/release").path.endswith("/config/oidc.ttl")


def own_by_files(product, slug, settings):
    async def put(here):
        how = Applying(SYSTEM, own=True, source="commit 4f2a")
        document = parse_document({"settings": settings})
        await apply(await here.tenant(slug), CATALOGUE.of_tenants(), document, how)

    product.backstage.run(put)


@pytest.mark.spec("features J03", "features BEY-3")
def test_a_version_of_the_platform_is_restored_with_whom_it_clamps_in_sight(
    browser, section, platforms, save, tenant, viewing, at, product
):
    save(platforms("bounds/oidc.ttl"), device_code="900")
    number = product.rows(
        "select max(number) from insula.config_versions where scope = 'platform'"
    )[0][0]  # fmt: skip
    save(platforms("bounds/oidc.ttl"), device_code="")
    save(section("oidc.ttl"), device_code="1200")
    assert f"/platform/defaults/history/{number}" in platforms("defaults/history").response.text
    path = f"/platform/defaults/history/{number}"
    assert "Restore…" not in viewing.open(at(path)).text
    assert viewing.open(at(f"{path}/restore")).status == 403

    page = browser.open(at(f"{path}/restore"))
    assert "Token lifetimes: Device code (bound)" in page.text
    assert "have stored something beyond its bounds" in page.text.replace(" has ", " have ")
    assert f"{tenant} {SHORTER}" in page.text
    save(platforms("defaults/oidc.ttl"), client_credentials="1200")
    lost = submit(browser, page, "/restore", save="1")
    assert (lost.status, "Somebody else" in lost.text or "changed" in lost.text) == (409, True)
    done = submit(browser, lost, "/restore", save="1", reason="as agreed")
    assert "The version is decided again" in done.text
    assert "900 seconds = 15 minutes is in force" in section("oidc.ttl").text
    assert "This is what is decided now" in browser.open(at(path)).text


@pytest.mark.spec("features BEY-3", "features C05")
def test_a_review_for_all_says_how_many_inherit_and_whom_it_shuts_out_of_them(
    product, browser, platforms, tenant
):
    product.app(
        tenant, redirect_uris=(), grant_types=("urn:ietf:params:oauth:grant-type:device_code",)
    )
    for _ in range(9):  # tenants with many people are looked at first
        product.person(tenant)
    shut = r"In (at least )?\d+ tenants?, .*\d+ .*applications? could not use the device grant"
    for page in ("defaults", "bounds"):
        typed = {"device": None if page == "defaults" else "off"}
        review = submit(browser, platforms(f"{page}/oidc.features"), "/review", **typed)
        inherit = "inherits? this" if page == "defaults" else "that inherits? (is|are) held to it"
        assert re.search(rf"\d+ tenants? {inherit}", review.text)
        assert "This shuts applications out of tenants that inherit" in review.text
        assert re.search(shut, review.text)
        assert "settings change by this; it binds" not in review.text


@pytest.mark.spec("features BEY-3")
def test_a_review_says_how_many_applications_are_shut_out_and_which_to_who_is_recorded(
    product, browser, section, tenant
):
    app = product.app(
        tenant, redirect_uris=(), grant_types=("urn:ietf:params:oauth:grant-type:device_code",)
    )
    product.change("update insula.clients set name = 'Television' where id = %s", app.id)
    review = submit(browser, section("oidc.features"), "/review", device=None)
    assert "1 of 1 application could not use the device grant any more." in review.text
    assert "Television" not in review.text
    assert product.audit(tenant, "tenant.viewed_by_platform") == []
    named = submit(browser, review, "/config/oidc.features", names="1", reason="as agreed")
    assert "Device Television" in named.text
    (line,) = product.audit(tenant, "tenant.viewed_by_platform")
    assert line.metadata == {"what": "applications"}
    saved = submit(browser, named, "/config/oidc.features", save="1")
    assert "Saved." in saved.text
    back = submit(browser, saved, "/review", device="1")
    assert "shuts somebody out" not in back.text


@pytest.mark.spec("features C05", "features J03")
@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (Actor("client", "ins_cl_billing"), "the application ins_cl_billing"),
        (Actor("platform", "ins_cl_ops"), "the application ins_cl_ops"),
        (Actor("platform", str(uuid4()), name="Olga Gone"), "Olga Gone"),
        (Actor("admin", str(uuid4()), name="Tia Tenant"), "an administrator of the tenant"),
        (SYSTEM, "the command line"),
    ],
)
def test_who_set_something_is_told_by_what_the_platform_may_know(
    product, section, tenant, actor, said
):
    """Applications by their id, its own people by name, also those who have gone."""

    async def decide(here):
        async with (await here.tenant(tenant)).transaction() as db:
            ttl = CATALOGUE.get("oidc.ttl")
            await service.change_in(db, ttl, {"device_code": 90}, Saving(actor))

    product.backstage.run(decide)
    page = section("oidc.ttl")
    assert f"by {said}" in page.text
    assert "Tia Tenant" not in page.text
    history = section("history").text
    assert said[:1].upper() + said[1:] in history or said in history


@pytest.mark.spec("features D02", "features C07")
@pytest.mark.parametrize(
    "path",
    [f"tenants/acme/config/{key}" for key in ("oidc.ttl", "oidc.features", "security.password",
                                              "branding", "oidc.registration")]
    + ["defaults/branding", "defaults/logs", "bounds/oidc.features", "bounds/oidc.ttl"],
)  # fmt: skip
def test_a_viewer_reads_settings_in_controls_that_take_nothing(browser, viewing, at, path):
    page = viewing.open(at(f"/platform/{path}"))
    controls = re.findall(r"<(?:input|select|fieldset)[^>]* aria-label=[^>]*>", page.response.text)

    assert "Administrators of the platform change them." in page.text
    assert controls
    assert all(" disabled" in control for control in controls)
    assert "Review changes" not in page.text
    assert [form.action for form in page.forms if form.action.endswith("/review")] == []
    theirs = browser.open(at(f"/platform/{path}"))
    assert any(form.action.endswith("/review") for form in theirs.forms)
    assert "Administrators of the platform change them." not in theirs.text
