"""A person comes from an application, signs in, comes back, and leaves; at two tenants at once."""

import re
from urllib.parse import urlsplit

import pytest
from looking import PHONE, look_at

WAYS = {
    "with script": {},
    "without script": {"java_script_enabled": False},
    "on a phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "in the dark, without script": {"color_scheme": "dark", "java_script_enabled": False},
}
WRONG = "not the password of anybody"
PEOPLE = {"acme": "Jonas Weber", "globex": "Omar Haddad"}


@pytest.fixture
def begin(demo, product):
    """Go to the demo application and choose a tenant there; the sign-in page."""

    def begin(page, slug):
        page.goto(demo)
        look_at(page, "Demo application")
        page.get_by_role("link", name=f"Sign in with {slug.title()}").click()
        assert page.url.startswith(product.url(slug, "/"))

    return begin


@pytest.fixture(autouse=True)
def _nothing_allowed_yet(product):
    product.change("delete from insula.grants")


def type_in(page, person, password=None):
    page.get_by_label("E-mail or username").fill(person.email)
    page.get_by_label("Password").fill(password or person.password)
    page.keyboard.press("Enter")


def sign_on(page, product, begin, slug):
    """From the demo to the demo."""
    name = slug.title()
    begin(page, slug)
    look_at(page, f"Sign in to {name}", title=f"Sign in · {name}")
    type_in(page, product.demo_person(slug))
    look_at(page, f"Ledger wants to use your {name} account", title="Allow Ledger?")
    page.get_by_role("button", name="Allow", exact=True).click()
    look_at(page, f"Signed in with {name}")
    assert page.get_by_text(PEOPLE[slug]).first.is_visible()


@pytest.mark.parametrize("way", WAYS)
def test_a_person_is_signed_on_at_two_tenants_side_by_side_and_off_at_one(
    demo, product, visit, begin, way
):
    page = visit(**WAYS[way])
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))

    sign_on(page, product, begin, "acme")
    sign_on(page, product, begin, "globex")

    page.goto(demo)
    assert page.get_by_text("Signed in", exact=True).count() == 2
    page.get_by_role("link", name="Show the tokens").first.click()
    page.get_by_role("button", name="Refresh").click()
    look_at(page, "Signed in with Acme")
    assert page.get_by_text("used 1 time").is_visible()

    page.get_by_role("button", name="Sign out").click()
    look_at(page, "Demo application")
    assert page.get_by_role("status").inner_text() == "You are signed out of Acme."
    assert page.get_by_text("Signed in", exact=True).count() == 1

    # who was signed out is asked for the password; at the other tenant nothing has happened
    begin(page, "acme")
    look_at(page, "Sign in to Acme", title="Sign in")
    page.goto(product.url("globex", "/"))
    look_at(page, "You are signed in")
    assert page.get_by_text("Omar Haddad").is_visible()

    assert hosts == {"127.0.0.1", "acme.localhost", "globex.localhost"}
    for cookie in page.context.cookies():
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
    dark = "dark" in way
    background = page.locator(".auth-card").evaluate("it => getComputedStyle(it).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", background)[:3])) < 64) == dark


@pytest.mark.parametrize("way", ["with script", "without script"])
def test_a_wrong_password_is_said_where_it_helps_and_the_right_one_goes_on(
    product, visit, begin, way
):
    page = visit(**WAYS[way])
    begin(page, "acme")
    person = product.demo_person("acme")
    type_in(page, person, WRONG)

    look_at(page, "Sign in to Acme", title="Error: Sign in · Acme")
    summary = page.get_by_role("alert")
    assert "The name and password do not match." in summary.inner_text()
    field = page.get_by_label("Password")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.get_by_label("E-mail or username").input_value() == person.email
    assert field.input_value() == ""

    summary.get_by_role("link").click()
    page.keyboard.type(person.password)
    page.keyboard.press("Enter")

    look_at(page, "Ledger wants to use your Acme account", title="Allow Ledger?")


def test_a_person_who_refuses_comes_back_with_nothing(product, visit, begin):
    page = visit(java_script_enabled=False)
    begin(page, "acme")
    type_in(page, product.demo_person("acme"))
    page.get_by_role("button", name="Do not allow").click()

    look_at(page, "That did not work", title="Error: not signed in")
    assert "access_denied" in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="Start again").click()
    assert page.get_by_text("Signed out", exact=True).count() == 2


def test_what_is_optional_is_switched_off_by_its_label(product, visit, begin):
    page = visit(java_script_enabled=False)
    begin(page, "acme")
    type_in(page, product.demo_person("acme"))
    page.get_by_label("Stay connected while you are away").uncheck()
    page.get_by_role("button", name="Allow", exact=True).click()

    look_at(page, "Signed in with Acme")
    assert page.get_by_text("none: offline_access was not granted").is_visible()
    assert page.get_by_role("button", name="Refresh").count() == 0


def test_the_whole_way_is_walked_with_the_keyboard(demo, product, visit):
    page = visit(java_script_enabled=False)
    person = product.demo_person("globex")

    def tab_to(role, name):
        target = page.get_by_role(role, name=name, exact=True)
        for _ in range(30):
            page.keyboard.press("Tab")
            if target.evaluate("it => it === document.activeElement"):
                return
        raise AssertionError(f"{name} is out of reach of the keyboard")

    page.goto(demo)
    tab_to("link", "Sign in with Globex")
    page.keyboard.press("Enter")
    look_at(page, "Sign in to Globex", title="Sign in")
    tab_to("textbox", "E-mail or username")
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(person.password)
    tab_to("button", "Sign in")
    page.keyboard.press("Enter")
    look_at(page, "Ledger wants to use your Globex account", title="Allow")
    tab_to(
        "checkbox",
        "Stay connected while you are away Optional. Without it you sign in again each time.",
    )
    page.keyboard.press("Space")
    tab_to("button", "Allow")
    page.keyboard.press("Enter")
    look_at(page, "Signed in with Globex")


def test_back_and_reload_lose_nothing_and_do_nothing_twice(product, visit, begin):
    page = visit()
    begin(page, "acme")
    page.reload()
    type_in(page, product.demo_person("acme"))
    look_at(page, "Ledger wants to use your Acme account", title="Allow")
    page.reload()
    page.go_back()
    look_at(page, "Sign in to Acme", title="Sign in")
    page.go_forward()
    page.get_by_role("button", name="Allow", exact=True).click()
    look_at(page, "Signed in with Acme")
    page.reload()
    look_at(page, "Signed in with Acme")

    page.go_back()
    page.wait_for_load_state()
    assert "Signed in with Acme" in page.title() or page.title().startswith("Error: ")


def test_two_people_of_one_tenant_are_told_apart_by_name(product, visit, begin):
    page = visit(java_script_enabled=False, viewport=PHONE)
    ada = product.person("acme")
    page.goto(product.url("acme", "/"))
    type_in(page, ada)
    look_at(page, "You are signed in")
    page.get_by_role("link", name="Switch account").click()
    look_at(page, "Choose an account")
    page.get_by_role("link", name="Use another account").click()
    type_in(page, product.demo_person("acme"))
    look_at(page, "You are signed in")
    assert page.get_by_text("Jonas Weber").is_visible()

    begin(page, "acme")
    look_at(page, "Ledger wants to use your Acme account", title="Allow")
    page.get_by_role("link", name="Switch account").click()
    page.get_by_role("button", name=re.compile("Ada Lovelace")).click()
    look_at(page, "Ledger wants to use your Acme account", title="Allow")
    assert page.get_by_text(ada.email).is_visible()
    page.get_by_role("button", name="Allow", exact=True).click()
    look_at(page, "Signed in with Acme")
    assert page.get_by_text("Ada Lovelace").first.is_visible()
