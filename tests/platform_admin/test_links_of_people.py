"""Who has no password yet is seen as such, and gets a new link from who runs the platform."""

import re
from uuid import uuid4

import pytest
from administrators import admin_of, long_ago, signed_in
from pressing import submit

from insula.tenancy.models import PLATFORMS

_URL = re.compile(r"http://[^<\"]+/sign-in/activate\?token=[\w-]+")


@pytest.fixture
def people(browser, at, tenant):
    """The people of the tenant, shown."""
    page = f"/platform/tenants/{tenant}/users"
    return lambda visitor=browser: submit(visitor, visitor.open(at(page)), "/users")


def offered(page):
    """Whose new link the page offers to make."""
    forms = [form for form in page.forms if form.action.endswith("/users/link")]
    return [value for form in forms for name, value in form.buttons if name == "user"]


@pytest.mark.spec("features D05", "features F21", "features W01")
def test_a_new_link_ends_the_one_before_and_stands_in_both_records(
    product, browser, at, runner, tenant, people
):
    product.person(tenant)
    newcomer = product.newcomer(tenant)
    page = people()
    assert page.text.count("Activation pending") == 1
    assert "No link that works" in page.text
    assert offered(page) == [str(newcomer.id)]
    before = product.activation_url(tenant, newcomer)
    assert "Link until" in people().text

    shown = submit(browser, page, "/users/link", user=str(newcomer.id))

    (url,) = set(_URL.findall(shown.response.text))
    assert newcomer.email in shown.text
    assert [browser.get(each).status_code for each in (before, url)] == [410, 200]
    (line, *_) = product.audit(tenant, "user.password_reset_sent", target_id=str(newcomer.id))
    (told,) = product.audit(PLATFORMS, "user.password_reset_sent", target_id=tenant)
    for each in (line, told):
        assert (each.actor_type, each.actor_id) == ("platform", str(runner.id))
        assert "token" not in str(each.metadata)
    assert told.metadata["user"] == str(newcomer.id)
    assert "made a link to choose a password for" in browser.open(at("/platform/audit")).text


@pytest.mark.spec("features D05", "security 96")
def test_no_link_is_made_for_who_has_a_password_or_is_of_another_tenant(
    product, browser, tenant, people
):
    newcomer, stranger = product.newcomer(tenant), product.newcomer("acme")
    page = people()
    for user, status in (
        (product.person(tenant).id, 409),
        (stranger.id, 404),
        (uuid4(), 404),
        ("nobody", 404),
    ):
        refused = submit(browser, page, "/users/link", user=str(user))
        assert refused.status == status
        assert not _URL.search(refused.response.text)
    product.change("update insula.users set status = 'disabled' where id = %s", newcomer.id)
    assert offered(people()) == []
    assert submit(browser, page, "/users/link", user=str(newcomer.id)).status == 409


@pytest.mark.spec("features CR-6")
def test_a_new_link_asks_for_the_password_of_who_makes_it(product, at, tenant, people):
    person, newcomer = admin_of(product, PLATFORMS, "platform_admin"), product.newcomer(tenant)
    with signed_in(product, "platform", person) as browser:
        page = people(browser)
        long_ago(product, person, "proved_at", 6)
        late = submit(browser, page, "/users/link", user=str(newcomer.id))
        assert late.path == "/admin/step-up"
        assert not product.rows(
            "select * from insula.activation_links where user_id = %s", newcomer.id
        )
        back = browser.submit(late, password=person.password)
        assert back.path == f"/platform/tenants/{tenant}/users"
        assert at(back.path) == back.url
