"""One tenant: looked at, renamed, given domains, suspended and served again."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urljoin

import pytest
from administrators import admin_of, long_ago, signed_in

from insula.tenancy.models import PLATFORMS


def submit(browser, page, action, **typed):
    """Send the form of a page that has this action, with what is typed into it."""
    form = next(form for form in page.forms if form.action.endswith(action))
    url = urljoin(page.url, form.action)
    return browser._follow(browser.post(url, {**form.values, **typed}))  # noqa: SLF001  (one of several forms)


@pytest.fixture
def open_page(browser, at, tenant):
    """A page of the tenant."""
    return lambda path="", **params: browser.open(
        at(f"/platform/tenants/{tenant}{path}"), params=params
    )


@pytest.mark.spec("features D05", "features UI-3")
def test_the_pages_of_a_tenant_show_what_it_is_made_of(product, open_page, tenant):
    overview, hosts, keys, activity = map(open_page, ("", "/hosts", "/keys", "/activity"))

    assert product.issuer(tenant) in overview.text
    assert "Danger zone" in overview.text
    assert "Follows the slug" in hosts.text
    assert keys.text.count("A next key is published on") == 2
    assert "created tenant" in activity.text


@pytest.mark.spec("features D05")
def test_the_overview_tells_of_the_pool_and_of_a_key_that_is_late(
    product, browser, open_page, tenant
):
    assert "Not in memory · this process" in open_page().text
    assert "Key rotation is overdue" not in open_page().text
    browser.get(product.url(tenant, "/.well-known/openid-configuration"))
    assert "Ready, asked for just now · this process" in open_page().text

    late = "update insula.signing_keys set due_at = %s where tenant_id = %s and alg = 'ES256'"
    product.change(late, datetime.now(UTC) - timedelta(hours=2), product.tenant_id(tenant))
    warned = open_page()
    product.change(late, None, product.tenant_id(tenant))
    assert "Key rotation is overdue" in warned.text
    assert f"/platform/tenants/{tenant}/keys" in warned.links


@pytest.mark.spec("features D05", "features UI-5")
def test_what_is_dangerous_says_in_numbers_whom_it_touches(product, open_page, tenant):
    product.person(tenant)
    one = open_page().text
    product.person(tenant)
    two = open_page().text

    assert "Ends the access of 1 person at once. For 30 days it can be undone" in one
    assert "All data of 1 person is kept." in one
    assert "Ends the access of 2 people at once." in two
    assert "Puts the tenant away: ends 0 sessions at once." in two


@pytest.mark.spec("features D05", "features W01")
def test_people_stand_behind_a_button_and_opening_it_is_recorded(
    product, browser, open_page, runner, tenant
):
    people = sorted(product.person(tenant).username for _ in range(27))
    page = open_page("/users")
    assert not any(name in page.response.text for name in people)
    assert not product.audit(tenant, "tenant.viewed_by_platform")

    first = submit(browser, page, "/users")
    second = submit(browser, first, "/users")

    assert all(name in first.response.text for name in people[:25])
    assert all(name in second.response.text for name in people[25:])
    assert people[0] not in second.response.text
    for record in (tenant, PLATFORMS):
        lines = product.audit(record, "tenant.viewed_by_platform", target_id=tenant)
        assert len(lines) == 2
        assert {line.actor_id for line in lines} == {str(runner.id)}


@pytest.mark.spec("features D06", "features CR-4")
def test_two_who_rename_at_once_learn_of_each_other(product, browser, open_page, tenant):
    early, late = open_page("/edit"), open_page("/edit")
    assert "The name is changed." in submit(browser, early, "/edit", display_name="First").text
    refused = submit(browser, late, "/edit", display_name="Second")

    assert refused.status == 409
    assert "Ada Lovelace changed the name to “First”" in refused.text
    assert submit(browser, refused, "/edit", display_name="Second").status == 200
    (row,) = product.rows("select display_name from insula.tenants where slug = %s", tenant)
    assert row.display_name == "Second"
    empty = submit(browser, open_page("/edit"), "/edit", display_name=" ")
    assert empty.status == 422


@pytest.mark.spec("features D06", "features T01", "features A08", "features UI-8")
def test_a_domain_is_begun_checked_and_proven(product, browser, open_page, name_server, tenant):
    domain = f"login.{tenant}.example"
    added = submit(browser, open_page("/edit"), "/domains", domain=domain, method="dns")
    assert "It leads nowhere until then." in added.text
    again = submit(browser, open_page("/edit"), "/domains", domain=domain, method="dns")
    odd = submit(browser, open_page("/edit"), "/domains", domain="127.0.0.1", method="dns")
    assert (again.status, odd.status) == (409, 422)
    assert "The tenant has this domain already." in again.text
    assert f"_insula-verify.{domain}" in added.text
    assert "Not proven" in open_page().text

    checked = submit(browser, open_page("/hosts"), "/domains/check", domain=domain)
    assert "The domain is not proven yet." in checked.text
    assert f"No TXT record at _insula-verify.{domain}." in checked.text
    (row,) = product.rows("select token from insula.host_proofs where host = %s", domain)
    name_server.texts[f"_insula-verify.{domain}"] = [f"insula-verify={row.token}"]
    proven = submit(browser, checked, "/domains/check", domain=domain)
    assert "The domain is proven." in proven.text
    assert product.audit(tenant, "domain.verified", target_id=domain)


@pytest.mark.spec("features T02", "features CR-6")
def test_who_vouches_for_a_domain_types_it_and_says_why(
    product, browser, open_page, runner, tenant
):
    domain = f"login.{tenant}.example"
    submit(browser, open_page("/edit"), "/domains", domain=domain, method="meta", primary="1")
    asked = open_page("/domains/vouch", domain=domain)
    for typed, said in (
        ({"typed": "something else", "reason": "Known"}, f"Type {domain} to confirm."),
        ({"typed": domain, "reason": " "}, "Say why"),
    ):
        refused = submit(browser, asked, "/domains/vouch", **typed)
        assert refused.status == 422
        assert said in refused.text

    done = submit(browser, asked, "/domains/vouch", typed=domain, reason="Known to us")

    assert "An operator vouches for it: Known to us." in done.text
    assert f"The issuer of tokens is http://{domain}" in done.text
    for record in (tenant, PLATFORMS):
        (line,) = product.audit(record, "domain.verified", target_id=domain)
        assert line.actor_id == str(runner.id)
        assert line.metadata["method"] == "admin_override"
        assert line.metadata["reason"] == "Known to us"
    assert line.metadata["tenant"] == tenant  # in the platform's record


@pytest.mark.spec("features A13", "features D06")
def test_the_issuers_host_is_chosen_by_who_types_it(product, browser, open_page, at, tenant):
    domain = f"login.{tenant}.example"
    submit(browser, open_page("/edit"), "/domains", domain=domain, method="dns")
    path = f"/platform/tenants/{tenant}/domains/primary"
    assert browser.get(at(path), params={"domain": domain}).status_code == 303  # it is not proven
    late = open_page("/domains/vouch", domain=domain)
    submit(browser, late, "/domains/vouch", typed=domain, reason="Known to us")

    asked = open_page("/domains/primary", domain=domain)
    assert f"from {product.issuer(tenant)} to http://{domain}" in asked.text
    assert "applications must be told" in asked.text
    wrong = submit(browser, asked, "/domains/primary", typed="something else")
    assert wrong.status == 422
    right = submit(browser, wrong, "/domains/primary", typed=domain)
    assert "The issuer has changed." in right.text

    own = product.server.host(tenant).partition(":")[0]
    back = submit(browser, open_page("/domains/primary", domain=own), "/domains/primary", typed=own)
    assert f"The issuer of tokens is {product.issuer(tenant)}" in back.text


@pytest.mark.spec("features D06", "security 108")
def test_a_domain_is_taken_by_who_types_it_and_rests(product, browser, open_page, at, tenant):
    domain = f"login.{tenant}.example"
    submit(browser, open_page("/edit"), "/domains", domain=domain, method="dns", primary="1")
    submit(
        browser, open_page("/domains/vouch", domain=domain), "/domains/vouch",
        typed=domain, reason="Known to us",
    )  # fmt: skip
    asked = open_page("/domains/remove", domain=domain)
    assert f"the issuer becomes {product.issuer(tenant)}" in asked.text
    assert "No other tenant can have it for thirty days." in asked.text
    wrong = submit(browser, asked, "/domains/remove", typed="something else")
    assert wrong.status == 422
    right = submit(browser, wrong, "/domains/remove", typed=domain)
    assert "The domain is taken away." in right.text
    assert domain not in open_page("/hosts").text
    assert browser.get(at(f"/platform/tenants/{tenant}/domains/remove")).status_code == 303
    other = f"{tenant}-b"
    product.tenant(other)
    edit = browser.open(at(f"/platform/tenants/{other}/edit"))
    refused = submit(browser, edit, "/domains", domain=domain, method="dns")
    assert refused.status == 409
    assert "The domain was another tenant's until lately." in refused.text


@pytest.mark.spec("features D07", "features CR-6", "features CR-7", "features UI-5")
def test_a_tenant_is_suspended_by_who_types_its_slug_and_says_why(
    product, browser, open_page, runner, tenant
):
    person = product.person(tenant)
    asked = open_page("/suspend")
    assert "person can no longer sign in" in asked.text
    for typed, said in (
        ({"typed": "acme", "reason": "Not paid"}, f"Type {tenant} to confirm."),
        ({"typed": tenant, "reason": " "}, "Say why"),
        ({"typed": tenant, "reason": "x" * 501}, "At most 500 characters."),
    ):
        refused = submit(browser, asked, "/suspend", **typed)
        assert refused.status == 422
        assert said in refused.text
        kept = next(form for form in refused.forms if "typed" in form.values)
        assert kept.values["typed"] == typed["typed"]
    assert browser.get(product.url(tenant, "/sign-in")).status_code == 303

    done = submit(browser, asked, "/suspend", typed=tenant, reason="Not paid")
    assert "The tenant is suspended." in done.text
    assert browser.get(product.url(tenant, "/sign-in")).status_code == 403
    for record in (tenant, PLATFORMS):
        (line,) = product.audit(record, "tenant.suspended", target_id=tenant)
        assert line.actor_id == str(runner.id)
        assert line.metadata == {"previous": "active", "new": "suspended", "reason": "Not paid"}

    again = submit(browser, open_page("/activate"), "/activate")
    assert "The tenant is active." in again.text
    assert product.audit(tenant, "tenant.activated")
    assert person.id


@pytest.mark.spec("features D07")
def test_a_step_that_does_not_follow_says_what_is_the_case(browser, open_page, tenant):
    asked = open_page("/suspend")
    submit(browser, open_page("/archive"), "/archive", typed=tenant, reason="Left us")
    late = submit(browser, asked, "/suspend", typed=tenant, reason="Not paid")

    assert late.status == 409
    assert "A tenant that is archived cannot become suspended." in late.text
    assert "is archived" in open_page("/suspend").text


@pytest.mark.spec("features CR-6", "features UI-5")
def test_what_is_dangerous_asks_for_the_password_again(product, at, tenant):
    person = admin_of(product, PLATFORMS, "platform_admin")
    with signed_in(product, "platform", person) as browser:
        path = f"/platform/tenants/{tenant}/suspend"
        asked = browser.open(at(path))
        long_ago(product, person, "proved_at", 6)
        late = submit(browser, asked, "/suspend", typed=tenant, reason="Not paid")
        assert late.path == "/admin/step-up"
        (row,) = product.rows("select status from insula.tenants where slug = %s", tenant)
        assert row.status == "active"

        proving = browser.open(at(path))
        assert proving.url.endswith(f"?return_to={quote(path, safe='')}")
        back = browser.submit(proving, password=person.password)
        assert back.path == path
        done = submit(browser, back, "/suspend", typed=tenant, reason="Not paid")
        assert "The tenant is suspended." in done.text


@pytest.mark.spec("features D09")
@pytest.mark.parametrize("slug", ["default", "_platforms", "_ops"])
def test_tenants_of_the_installation_are_shown_and_stay_as_they_are(browser, at, slug):
    shown = browser.open(at(f"/platform/tenants/{slug}"))
    assert "Belongs to the installation" in shown.text
    assert "Danger zone" not in shown.text
    for path in ("edit", "suspend", "archive"):
        answer = browser.get(at(f"/platform/tenants/{slug}/{path}"))
        assert answer.status_code == 409
        assert "tenant_protected" in answer.text


def test_a_tenant_that_does_not_exist_is_404_on_every_page(browser, at):
    for path in ("", "/users", "/hosts", "/keys", "/activity", "/edit", "/suspend"):
        answer = browser.get(at(f"/platform/tenants/nobody-at-all{path}"))
        assert answer.status_code == 404
        assert "tenant_not_found" in answer.text
