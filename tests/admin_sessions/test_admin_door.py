"""Administrators come in by a door of their own, and are out as soon as they are none any more."""

from datetime import timedelta
from uuid import uuid4

import pytest
from administrators import COOKIE, SIGN_IN, admin_of, long_ago, session_of, signed_in
from browsing import Browser
from spine import signed_in as signed_in_ordinarily

from insula.accounts import service as accounts
from insula.audit.models import SYSTEM
from insula.sign_in.settings import BruteForce

WRONG = "not the password of anybody"


@pytest.fixture
def admin(product):
    return admin_of(product, "acme")


@pytest.fixture
def browser(product, admin):
    with signed_in(product, "acme", admin) as browser:
        yield browser


@pytest.fixture
def stranger():
    with Browser() as browser:
        yield browser


def fill_in(product, browser, person, password=None, slug="acme"):
    return browser.sign_in(browser.open(product.url(slug, SIGN_IN)), person, password)


@pytest.mark.spec("features F04", "features F11", "features F12", "features F17", "security 82")
def test_an_administrator_signs_in_and_the_session_says_who_they_are(product, browser, admin):
    said = session_of(product, "acme", browser)

    assert said["sub"] == str(admin.id)
    assert (said["email"], said["name"], said["admin"]) == (admin.email, "Ada Lovelace", True)
    assert (said["type"], said["aud"], said["amr"]) == ("admin_access", "admin", ["pwd"])
    assert set(said["roles"]) == {"admin"}
    assert 3500 <= said["exp"] - said["iat"] <= 3600
    (header,) = [h for _, h in browser.received if h.startswith(f"{COOKIE}=")]
    assert {"Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=3600"} <= set(header.split("; "))
    (row,) = product.rows("select * from insula.admin_sessions where user_id = %s", admin.id)
    assert len(row.token_hash) == 32
    assert browser.cookie(product.url("acme", "/"), COOKIE) not in str(row)
    assert row.absolute_expires_at - row.created_at == timedelta(hours=8)
    (line,) = product.audit("acme", "admin.logged_in", actor_id=str(admin.id))
    assert line.actor_type == "admin"
    assert browser.open(product.url("acme", SIGN_IN)).path == "/admin"


@pytest.mark.spec("features F04")
def test_an_ordinary_session_opens_no_page_of_administrators(product, admin):
    app = product.app("acme")
    with signed_in_ordinarily(product, "acme", app, admin) as browser:
        arrived = browser.open(product.url("acme", "/admin"))
        assert arrived.path == SIGN_IN
        assert session_of(product, "acme", browser) is None


@pytest.mark.spec("features F13")
def test_a_program_without_a_session_is_told_401(product, stranger):
    answer = stranger.get(
        product.url("acme", "/admin/session"), headers={"accept": "application/json"}
    )

    assert answer.status_code == 401
    assert answer.json()["code"] == "session_expired"


@pytest.mark.spec("features F04", "features W01", "security 62", "security 63")
def test_who_is_unknown_wrong_or_disabled_gets_the_same_answer(product, admin):
    disabled = product.person("acme", roles=("admin",))
    other = admin_of(product, "acme")
    product.in_transaction("acme", lambda db: accounts.disable(db, disabled.id))
    answers = []
    for person, password in ((admin, WRONG), (disabled, disabled.password), (other, WRONG)):
        with Browser() as browser:
            page = fill_in(product, browser, person, password)
            answers.append((page.status, page.text.replace(person.email, "")))
            assert browser.cookie(product.url("acme", "/"), COOKIE) is None

    assert answers[0][0] == 422
    assert len(set(answers)) == 1
    reasons = {
        row.metadata["reason"]
        for person in (admin, disabled, other)
        for row in product.audit("acme", "admin.login_failed", target_id=str(person.id))
    }
    assert reasons == {"invalid_credentials", "account_disabled"}


@pytest.mark.spec("features F13", "features W01")
def test_a_person_without_a_role_is_refused_though_the_password_is_right(product, stranger):
    person = product.person("acme")
    page = fill_in(product, stranger, person)

    assert page.status == 403
    assert "no role that opens these pages" in page.text
    assert stranger.cookie(product.url("acme", "/"), COOKIE) is None
    (line,) = product.audit("acme", "admin.login_failed", target_id=str(person.id))
    assert line.metadata["reason"] == "not_admin"


@pytest.mark.parametrize("role", ["platform_admin", "platform_viewer"])
def test_roles_of_the_platform_open_nothing_at_a_tenant(product, stranger, role):
    page = fill_in(product, stranger, product.person("acme", roles=(role,)))

    assert page.status == 403


@pytest.mark.spec("security 59", "security 61")
def test_guesses_at_one_door_count_at_the_other(product, admin, stranger):
    most = BruteForce().per_identifier_ip
    for _ in range(most):
        fill_in(product, stranger, admin, WRONG)
    held = fill_in(product, stranger, admin)
    ordinary = stranger.sign_in(stranger.open(product.url("acme", "/sign-in")), admin)

    assert held.status == 429
    assert int(held.response.headers["retry-after"]) > 0
    assert ordinary.status == 429


@pytest.mark.spec("features CR-5", "security 89")
@pytest.mark.parametrize(
    ("headers", "token"),
    [({}, None), ({}, "x" * 43), ({"origin": "https://elsewhere.example"}, "right")],
    ids=["no token", "a wrong token", "from elsewhere"],
)
def test_a_form_that_is_not_ours_signs_nobody_in(product, admin, stranger, headers, token):
    page = stranger.open(product.url("acme", SIGN_IN))
    token = page.form.values["csrf_token"] if token == "right" else token
    answer = stranger.send(
        page, csrf_token=token, username=admin.email, password=admin.password, headers=headers
    )

    assert answer.status_code == 403
    assert stranger.cookie(product.url("acme", "/"), COOKIE) is None


@pytest.mark.spec("features CR-7", "features F04", "features F13", "security 95", "security 99")
@pytest.mark.parametrize("act", ["disable", "revoke_role", "lock", "change_password"])
def test_who_is_no_administrator_any_more_is_out_at_once(product, admin, browser, act):
    admin_of(product, "acme")  # somebody must be left

    async def do(db):
        if act == "revoke_role":
            await accounts.revoke_role(db, admin.id, "admin")
            await accounts.grant_role(db, admin.id, "admin")  # a role anew is no session anew
        elif act == "change_password":
            await accounts.change_password(db, admin.id, "x", actor=SYSTEM)
        else:
            await getattr(accounts, act)(db, admin.id)
            await accounts.enable(db, admin.id)

    assert session_of(product, "acme", browser)
    product.in_transaction("acme", do)

    assert session_of(product, "acme", browser) is None


@pytest.mark.spec("features F04")
def test_roles_are_read_anew_on_every_request(product, admin, browser):
    product.change("delete from insula.user_roles where user_id = %s", admin.id)

    assert session_of(product, "acme", browser) is None


@pytest.mark.spec("features F11", "security 86")
def test_a_session_ends_idle_and_ends_in_any_case_and_lives_by_use(product, admin, browser):
    long_ago(product, admin, "last_seen_at", 30)
    long_ago(product, admin, "idle_expires_at", 30)
    assert session_of(product, "acme", browser)["exp"]  # this use begins the hour anew
    assert [h for path, h in browser.received if path == "/admin/session"]
    (row,) = product.rows(
        "select idle_expires_at - now() as left from insula.admin_sessions where user_id = %s",
        admin.id,
    )
    assert row.left > timedelta(minutes=59)

    long_ago(product, admin, "absolute_expires_at", 8 * 60)
    assert session_of(product, "acme", browser) is None


def test_an_unused_session_is_over_after_its_hour(product, admin, browser):
    long_ago(product, admin, "idle_expires_at", 61)

    assert session_of(product, "acme", browser) is None


@pytest.mark.spec("features F14")
def test_signing_out_ends_the_row_and_clears_the_storage_of_the_host_alone(product, admin, browser):
    token = browser.cookie(product.url("acme", "/"), COOKIE)
    page = browser.open(product.url("acme", "/admin"))
    forged = browser.send(page, csrf_token="x")  # noqa: S106  (nobody's token)
    answer = browser.send(page)

    assert forged.status_code == 403
    assert answer.headers["clear-site-data"] == '"storage"'
    assert browser.cookie(product.url("acme", "/"), COOKIE) is None
    assert product.audit("acme", "admin.logged_out", actor_id=str(admin.id))
    browser.plant(product.url("acme", "/"), COOKIE, token)
    assert session_of(product, "acme", browser) is None


@pytest.mark.spec("security 81", "security 83", "security 84")
def test_a_cookie_that_is_nobodys_here_is_cleared(product, admin, browser, stranger):
    token = browser.cookie(product.url("acme", "/"), COOKIE)
    url = product.url("globex", "/admin")
    for header in (f"{COOKIE}={token}", f"{COOKIE}=x; {COOKIE}={token}", f"{COOKIE}={'x' * 2000}"):
        for address in (url, product.url("globex", SIGN_IN)):
            answer = stranger.get(address, headers={"cookie": header})
            written = answer.headers.get_list("set-cookie")
            assert any(c.startswith(f"{COOKIE}=;") and "Max-Age=0" in c for c in written)
            assert answer.status_code == (303 if address == url else 200)
    doubled = browser.get(
        product.url("acme", "/admin/session"), headers={"cookie": f"{COOKIE}={token}; {COOKIE}=x"}
    )
    assert doubled.status_code == 303

    # a planted one does not survive a sign-in
    stranger.plant(product.url("acme", "/"), COOKIE, "p" * 43)
    fill_in(product, stranger, admin)
    assert stranger.cookie(product.url("acme", "/"), COOKIE) not in (token, "p" * 43)


@pytest.mark.spec("features CR-6", "features M11", "security 81", "security 95")
def test_a_step_up_asks_for_the_password_once_and_is_remembered(product, admin, browser):
    long_ago(product, admin, "proved_at", 6)
    before = browser.cookie(product.url("acme", "/"), COOKIE)
    page = browser.open(product.url("acme", "/admin/step-up?return_to=/admin/session"))
    wrong = browser.submit(page, password=WRONG)
    empty = browser.submit(page, password="")
    right = browser.submit(page, password=admin.password)

    assert (wrong.status, empty.status) == (422, 422)
    assert "This is not your password." in wrong.text
    assert right.path == "/admin/session"
    (row,) = product.rows(
        "select now() - proved_at as ago from insula.admin_sessions where user_id = %s", admin.id
    )
    assert row.ago < timedelta(minutes=1)
    assert browser.cookie(product.url("acme", "/"), COOKIE) != before
    browser.plant(product.url("acme", "/"), COOKIE, before)
    assert session_of(product, "acme", browser) is None
    assert product.audit("acme", "step_up.failed", target_id=str(admin.id))
    assert product.audit("acme", "step_up.verified", actor_id=str(admin.id))


@pytest.mark.spec("features D11")
def test_who_must_change_their_password_does_so_before_the_session(product, stranger):
    person = product.person("acme", roles=("admin",), must_change_password=True)
    page = fill_in(product, stranger, person)
    assert page.path == "/sign-in/new-password"
    assert stranger.cookie(product.url("acme", "/"), COOKIE) is None

    new = f"another long password {uuid4()}"
    back = stranger.submit(page, new_password=new, repeat=new)
    assert back.path == SIGN_IN
    stranger.sign_in(back, person, new)

    assert session_of(product, "acme", stranger)["sub"] == str(person.id)


@pytest.mark.parametrize(
    "target",
    ["https://elsewhere.example/", "//elsewhere.example", "/admin//x", "/sign-in", "/admin\\x",
     "/administrator", "/platform/\r\nx"],
)  # fmt: skip
def test_a_sign_in_leads_to_pages_of_administrators_only(product, admin, stranger, target):
    page = stranger.open(product.url("acme", SIGN_IN), params={"return_to": target})

    assert stranger.sign_in(page, admin).path == "/admin"


def test_the_theme_is_kept_in_a_cookie_and_leads_back(product, browser):
    page = browser.open(product.url("acme", "/admin"))
    form = {"csrf_token": page.form.values["csrf_token"], "return_to": "/admin"}
    url = product.url("acme", "/admin/theme")
    browser.post(url, {**form, "theme": "dark"})

    assert 'data-theme="dark"' in browser.get(product.url("acme", "/admin")).text
    browser.post(url, {**form, "theme": "system"})
    assert "data-theme" not in browser.get(product.url("acme", "/admin")).text
    assert browser.post(url, {"theme": "dark"}).status_code == 403
    header = {"x-csrf-token": form["csrf_token"]}
    assert browser.post(url, {"theme": "light"}, headers=header).status_code == 303
