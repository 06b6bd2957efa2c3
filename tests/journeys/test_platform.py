"""Somebody runs the platform in a real browser: makes a tenant, finds it, suspends it."""

import secrets

import pytest
from administrators import admin_of, long_ago
from looking import DESK, PHONE, look_at
from purging import purge_now

from insula.tenancy.models import PLATFORMS

WAYS = {
    "with script": {},
    "on a phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "in the dark, without script": {"color_scheme": "dark", "java_script_enabled": False},
}
#: Every page that a menu or a tab leads to, and its heading.
PAGES = {
    "/platform/keys": "Signing keys",
    "/platform/pool": "Provider pool",
    "/platform/audit": "Audit",
    "/platform/deployment": "Deployment",
    "/platform/defaults": "Defaults",
    "/platform/templates": "Templates",
    "/platform/templates/new": "New template",
    "/platform/jobs": "Jobs",
    "/platform/deletions": "Deletions",
}


@pytest.fixture
def runner(product):
    return admin_of(product, PLATFORMS, "platform_admin")


def come_in(product, page, runner):
    page.goto(f"http://{product.server.host('platform')}/platform")
    look_at(page, "Sign in to the platform", title="Administrators")
    page.get_by_label("E-mail or username").fill(runner.email)
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    look_at(page, "All tenants at a glance", title="Dashboard")


@pytest.mark.spec("features D02", "features D03", "features D04", "features D07", "features UI-7")
@pytest.mark.parametrize("way", ["with script", "on a phone"])
def test_a_tenant_is_made_found_suspended_and_served_again(product, visit, runner, way):
    page = visit(**WAYS[way])
    slug = f"journey-{secrets.token_hex(4)}"
    come_in(product, page, runner)

    page.get_by_role("link", name="Create tenant").click()
    look_at(page, "Create tenant")
    page.get_by_label("Name").fill("Journey Ltd")
    page.get_by_label("Slug").fill("acme")
    page.get_by_role("button", name="Create tenant").click()
    look_at(page, "Create tenant", title="Error: Create tenant")
    assert "is the slug of Acme" in page.get_by_role("alert").inner_text()
    page.get_by_role("alert").get_by_role("link").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(slug)
    page.keyboard.press("Enter")
    look_at(page, "Journey Ltd")
    assert page.get_by_text("What to do next").is_visible()

    page.goto(f"http://{product.server.host('platform')}/platform/tenants")
    look_at(page, "Tenants")
    page.get_by_role("searchbox").fill(slug[:14])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Journey Ltd").click()
    look_at(page, "Journey Ltd")

    long_ago(product, runner, "proved_at", 6)
    page.get_by_role("link", name="Suspend…").last.click()
    look_at(page, "Confirm it is you")
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    look_at(page, "Suspend Journey Ltd?")
    page.get_by_label("Why").fill("The invoice is not paid")
    page.get_by_role("button", name="Suspend Journey Ltd").click()
    look_at(page, "Suspend Journey Ltd?", title="Error: Suspend")
    assert page.get_by_label("Why").input_value() == "The invoice is not paid"
    page.get_by_label(f"Type {slug} to confirm").fill(slug)
    page.get_by_role("button", name="Suspend Journey Ltd").click()
    look_at(page, "Journey Ltd")
    assert page.get_by_text("The tenant is suspended.").is_visible()
    page.goto(product.url(slug, "/sign-in"))
    assert page.get_by_text("tenant_not_active").is_visible()

    page.goto(f"http://{product.server.host('platform')}/platform/tenants/{slug}")
    page.get_by_role("link", name="Activate…").last.click()
    look_at(page, "Activate Journey Ltd?")
    page.get_by_role("button", name="Activate Journey Ltd").click()
    assert page.get_by_text("The tenant is active.").is_visible()


@pytest.mark.spec("features UI-1", "features UI-7")
@pytest.mark.parametrize("way", ["on a phone", "in the dark, without script"])
def test_every_page_of_the_platform_is_whole_at_every_width(product, visit, runner, way):
    page = visit(**WAYS[way])
    come_in(product, page, runner)
    base = f"http://{product.server.host('platform')}"
    for path, heading in PAGES.items():
        page.goto(f"{base}{path}")
        look_at(page, heading, title=path.rpartition("/")[2].title())
    for tab in ("users", "hosts", "keys", "activity", "edit"):
        page.goto(f"{base}/platform/tenants/acme/{tab}")
        look_at(page, "Acme")
    for path, heading, title in (
        ("tenants/acme/config/oidc.features", "Acme", "Protocol features"),
        ("tenants/acme/config/branding", "Acme", "Branding"),
        ("tenants/acme/config/history", "Acme", "History"),
        ("tenants/acme/config/import", "Import settings", "Import settings"),
        ("defaults/oidc.ttl", "Token lifetimes", "Token lifetimes"),
        ("defaults/history", "History of defaults and bounds", "History"),
        ("bounds/oidc.features", "Bounds of protocol features", "Protocol features"),
        ("tenants/acme/delete", "Delete Acme?", "Delete Acme?"),
    ):
        page.goto(f"{base}/platform/{path}")
        look_at(page, heading, title=title)
    rail = page.locator(".sidebar")
    assert rail.is_visible() == ("phone" not in way)
    if rail.is_visible():
        colour = rail.evaluate("it => getComputedStyle(it).backgroundColor")
        assert colour in ("rgb(26, 22, 48)", "rgb(21, 17, 38)")  # violet ink, in both themes
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    if "phone" in way:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Ada Lovelace").last.click()
    page.get_by_role("button", name="Sign out").last.click()
    look_at(page, "Sign in to the platform", title="Administrators")


@pytest.mark.spec("features W01", "features UI-2", "features UI-7")
@pytest.mark.parametrize("way", ["on a phone", "in the dark, without script"])
def test_the_record_is_narrowed_filter_by_filter_and_taken_away(product, visit, runner, way):
    page = visit(**WAYS[way])
    come_in(product, page, runner)
    page.goto(f"http://{product.server.host('platform')}/platform/audit")
    page.get_by_role("button", name="Event").click()
    page.get_by_label("Event", exact=True).fill("admin.")
    page.keyboard.press("Enter")
    page.wait_for_url("**/platform/audit?event=admin.")
    page.get_by_role("button", name="Actor").click()
    page.get_by_label("Kind of actor").select_option("Admin")
    page.get_by_label("Who acted", exact=True).fill(runner.email)
    look_at(page, "Audit")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**&actor_type=admin&actor_id=*")
    look_at(page, "Audit")
    assert page.locator(".log").count() == 1
    page.get_by_role("button", name="Address").click()
    page.get_by_label("IP address").fill("nowhere")
    page.keyboard.press("Enter")
    look_at(page, "Audit", title="Error: Audit")
    page.get_by_role("alert").get_by_role("link").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("203.0.113.77")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing matches").wait_for()
    page.get_by_role("link", name="Remove filter Address: 203.0.113.77").click()
    assert page.locator(".log").count() == 1
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of this filter").click()
    assert download.value.suggested_filename == "audit.csv"
    assert len(download.value.path().read_text().splitlines()) == 2


@pytest.mark.spec("features D04", "features UI-7")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["on a phone", "at a desk"])
def test_the_longest_names_break_and_the_page_keeps_its_width(product, visit, runner, size):
    page = visit(viewport=size)
    slug = f"l{secrets.token_hex(31)}"
    name = f"{'W' * 127} {'M' * 127}"
    product.tenant(slug)
    product.change("update insula.tenants set display_name = %s where slug = %s", name, slug)
    domain = f"{'.'.join(['a' * 60] * 3)}.{secrets.token_hex(15)}.example"
    come_in(product, page, runner)
    tenant = f"http://{product.server.host('platform')}/platform/tenants/{slug}"
    page.goto(f"{tenant}/edit")
    page.get_by_label("Add a domain").fill(domain)
    page.get_by_role("button", name="Add domain").click()
    for path in ("", "/users", "/hosts", "/keys", "/config", "/activity", "/edit"):
        page.goto(f"{tenant}{path}")
        look_at(page, name, title="Application" if path == "/config" else name)
    for path, act in (("suspend", "Suspend"), ("archive", "Archive"), ("delete", "Delete")):
        page.goto(f"{tenant}/{path}")
        look_at(page, f"{act} {name}?")
    page.goto(f"{tenant}/domains/vouch?domain={domain}")
    look_at(page, f"Vouch for {domain}?")
    page.goto(f"{tenant.rpartition('/')[0]}?q={slug}")
    look_at(page, "Tenants")


def test_control_k_leads_to_the_search(product, visit, runner):
    page = visit()
    come_in(product, page, runner)
    page.keyboard.press("Control+k")
    look_at(page, "Tenants")
    page.keyboard.type("ac")  # the search has the focus
    page.get_by_role("link", name="Create tenant").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("me")
    page.keyboard.press("Enter")
    page.wait_for_url("**/platform/tenants?q=acme")
    assert page.get_by_role("link", name="Acme", exact=True).is_visible()


@pytest.mark.spec(
    "features C05", "features C07", "features D08", "features D12", "features BEY-3",
    "features BEY-6", "features J08", "features UI-4",
)  # fmt: skip
def test_a_tenant_is_made_set_up_bound_deleted_undone_and_purged(product, visit, runner):
    page = visit(viewport=DESK)
    slug = f"whole-{secrets.token_hex(4)}"
    base = f"http://{product.server.host('platform')}"
    tenant = f"{base}/platform/tenants/{slug}"
    come_in(product, page, runner)
    page.get_by_role("link", name="Create tenant").click()
    page.get_by_label("Name").fill("Whole Life")
    page.get_by_label("Slug").fill(slug)
    page.keyboard.press("Enter")
    look_at(page, "Whole Life")

    page.get_by_role("link", name="Configuration").click()
    page.get_by_role("link", name="Branding").click()
    page.get_by_label("Accent colour, picked").fill("#0067b8")
    assert page.get_by_label("Accent colour", exact=True).input_value() == "#0067b8"
    page.get_by_role("button", name="Review changes").click()
    look_at(page, "Review 1 change")
    page.get_by_role("button", name="Save 1 change").click()
    look_at(page, "Whole Life", title="Branding")
    assert page.get_by_text("Set here", exact=True).is_visible()
    page.get_by_role("link", name="Token lifetimes").click()
    set_to(page, "Access token", "1200", reason="Long meetings")
    page.get_by_role("link", name="History").click()
    assert page.get_by_text("“Long meetings”").is_visible()

    try_to_weaken(page, base, tenant)
    delete(page, tenant, slug)
    page.get_by_role("link", name="Undo…").click()
    look_at(page, "Take back the deletion of Whole Life?")
    page.get_by_role("button", name="Take it back").click()
    assert page.get_by_text("The deletion is taken back.").is_visible()
    delete(page, tenant, slug)
    assert purge_now(product, slug)
    page.reload()
    look_at(page, "Deletion of Whole Life")
    assert page.get_by_text("The key of its secrets is destroyed").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download certificate").click()
    assert download.value.suggested_filename == f"{slug}-deletion.jwt"


def try_to_weaken(page, base, tenant):
    """Set a floor, try to go below it, and look at whom another would touch."""
    page.get_by_role("navigation").get_by_role("link", name="Bounds").click()
    page.get_by_role("link", name="Passwords").click()
    set_to(page, "Min length", "16")
    page.goto(f"{tenant}/config/security.password")
    page.get_by_label("Min length").fill("15")
    page.get_by_role("button", name="Review changes").click()
    look_at(page, "Whole Life", title="Error: Passwords")
    assert (
        "The platform allows at least 16; set by Ada Lovelace"
        in page.get_by_role("alert").inner_text()
    )
    page.goto(f"{base}/platform/bounds/oidc.ttl")
    page.get_by_label("Access token", exact=True).fill("900")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_text("what would hold").click()
    assert page.get_by_text("Access token: 1,200 seconds = 20 minutes becomes").first.is_visible()
    look_at(page, "Review 1 change")
    page.get_by_role("button", name="Back to editing").click()
    assert page.get_by_text("Changed, not saved").is_visible()
    page.goto(f"{base}/platform/bounds/security.password/reset")
    page.get_by_role("button", name="Save 1 change").click()


def set_to(page, field, value, *, reason=""):
    """Type a value, review it, and save it."""
    page.get_by_label(field, exact=True).fill(value)
    page.get_by_role("button", name="Review changes").click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Save 1 change").click()
    assert page.get_by_text("Saved.").is_visible()


def delete(page, tenant, slug):
    page.goto(tenant)
    page.get_by_role("link", name="Delete…").last.click()
    look_at(page, "Delete Whole Life?")
    page.get_by_label("Why").fill("The contract has ended")
    page.get_by_label(f"Type {slug} to confirm").fill(slug)
    page.get_by_role("button", name="Delete Whole Life").click()
    look_at(page, "Deletion of Whole Life")


@pytest.mark.spec("features D04", "features F21", "features UI-7")
@pytest.mark.parametrize("way", WAYS)
def test_the_first_administrator_follows_a_link_that_is_shown_once(product, visit, runner, way):
    page, theirs = visit(), visit(**WAYS[way])
    slug, secret = f"journey-{secrets.token_hex(4)}", "seventeen grey herons"
    come_in(product, page, runner)
    page.get_by_role("link", name="Create tenant").click()
    page.get_by_label("Name").fill("Journey Ltd")
    page.get_by_label("Slug").fill(slug)
    page.get_by_label("First administrator").fill("mira@journey.example")
    page.get_by_role("button", name="Create tenant").click()
    look_at(page, "Journey Ltd exists", title="Tenant created")
    url = page.locator(".copy-box code").inner_text()
    assert url.startswith(product.url(slug, "/sign-in/activate?token="))
    assert "token" not in page.url
    page.get_by_role("link", name="Go to Journey Ltd").click()
    look_at(page, "Journey Ltd")
    assert "ins_al_" not in page.content()

    theirs.goto(url)
    look_at(theirs, "Choose your password")
    assert "mira@journey.example" in theirs.locator("main").inner_text()
    theirs.get_by_label("New password", exact=True).fill("too short")
    theirs.get_by_label("New password again").fill("too short")
    theirs.keyboard.press("Enter")
    look_at(theirs, "Choose your password", title="Error: Choose your password")
    theirs.get_by_role("alert").get_by_role("link").click()
    theirs.keyboard.type(secret)
    theirs.get_by_label("New password again").fill(secret)
    theirs.keyboard.press("Enter")
    theirs.get_by_text("You are signed in").wait_for()

    theirs.goto(url)
    look_at(theirs, "This link leads nowhere", title="Error: This link")
    theirs.goto(product.url(slug, "/admin/sign-in"))
    theirs.get_by_label("E-mail or username").fill("mira@journey.example")
    theirs.get_by_label("Password").fill(secret)
    theirs.keyboard.press("Enter")
    theirs.get_by_text("Superadmin").first.wait_for()


@pytest.mark.spec("features T01", "features A13", "features UI-7")
@pytest.mark.parametrize("way", ["on a phone", "in the dark, without script"])
def test_a_login_domain_is_begun_vouched_for_and_made_the_issuer(product, visit, runner, way):
    page = visit(**WAYS[way])
    slug = f"journey-{secrets.token_hex(4)}"
    product.tenant(slug)
    host = f"login.{slug}.example"
    come_in(product, page, runner)
    page.goto(f"http://{product.server.host('platform')}/platform/tenants/{slug}/edit")
    look_at(page, slug.title(), title=f"{slug.title()} · Edit")
    page.get_by_label("Add a domain").fill(host)
    page.get_by_role("button", name="Add domain").click()
    look_at(page, slug.title(), title=f"{slug.title()} · Hosts")
    page.get_by_role("button", name="Check now").click()
    look_at(page, slug.title(), title=f"{slug.title()} · Hosts")
    assert f"No TXT record at _insula-verify.{host}." in page.inner_text("main")
    page.get_by_role("link", name="Vouch for it…").click()
    look_at(page, f"Vouch for {host}?")
    page.get_by_label("Why").fill("Their contract names it")
    page.get_by_label(f"Type {host} to confirm").fill(host)
    page.get_by_role("button", name="Count it as proven").click()
    page.get_by_role("link", name="Make it the issuer…").click()
    look_at(page, f"Make {host} the issuer?")
    page.get_by_label(f"Type {host} to confirm").fill(host)
    page.get_by_role("button", name="Change the issuer").click()
    look_at(page, slug.title(), title=f"{slug.title()} · Hosts")
    assert f"The issuer of tokens is http://{host}" in page.inner_text("main")
