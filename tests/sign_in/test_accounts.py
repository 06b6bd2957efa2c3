"""Several people in one browser: a choice, five at most, and one of them can leave."""

import base64
import json
from uuid import uuid4

import pytest
from product import SIGNED_OUT

SESSION = "insula_session"
WRONG = "not the password of anybody"


@pytest.fixture
def bea(product):
    return product.person("acme", display_name="Bea Schmidt")


@pytest.fixture
def both(product, browser, ada, bea):
    """A browser in which first Ada and then Bea have signed in."""
    for person in (ada, bea):
        page = browser.open(product.url("acme", "/sign-in"))
        assert person.email in browser.sign_in(page, person).text
    return browser


def tokens_in(product, browser):
    return browser.cookie(product.issuer("acme"), SESSION).split(".")[1:]


def person_of(product, app, page):
    """Whom the id_token names."""
    id_token = product.redeem("acme", app, page.code).json()["id_token"]
    payload = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"]


def accounts_on(page):
    return [value for name, value in page.form.buttons if name == "account"]


def test_whoever_came_last_is_the_present_one(product, both, ada, bea):
    page = both.open(product.url("acme", "/"))

    assert bea.email in page.text
    assert ada.email not in page.text
    assert len(tokens_in(product, both)) == 2


def test_the_chosen_one_goes_on(product, app, start, both, ada, bea):
    page = start(both, prompt="select_account")
    assert page.path == "/sign-in/select-account"
    assert page.text.index(bea.email) < page.text.index(ada.email)

    answered = both.submit(page, ("account", accounts_on(page)[1]))

    assert person_of(product, app, answered) == str(ada.id)
    # and stays the present one
    assert ada.email in both.open(product.url("acme", "/")).text
    assert person_of(product, app, start(both)) == str(ada.id)


def test_choosing_is_not_proving(start, both):
    page = start(both, prompt="select_account login")

    chosen = both.submit(page, "account") if page.path.endswith("select-account") else page

    assert "Confirm it is you" in chosen.text


def test_another_account_can_sign_in_from_the_choice(product, app, start, both):
    carl = product.person("acme", display_name="Carl")
    page = start(both, prompt="select_account")
    other = next(link for link in page.links if "another=1" in link)

    form = both.open(product.url("acme", other))
    assert form.form.values["username"] == ""
    refused = both.submit(form, "sign_in", username=carl.email, password=WRONG)
    assert refused.form.values["username"] == carl.email
    answered = both.sign_in(refused, carl)

    assert person_of(product, app, answered) == str(carl.id)
    assert len(tokens_in(product, both)) == 3


@pytest.mark.parametrize("chosen", ["", "x", "somebody's elsewhere", "unknown"])
def test_nobody_who_is_not_signed_in_here_can_be_chosen(
    product, start, both, another_browser, chosen
):
    carl = product.person("acme")
    another_browser.sign_in(another_browser.open(product.url("acme", "/sign-in")), carl)
    (elsewhere,) = product.rows("select id from insula.sessions where user_id = %s", carl.id)
    values = {"somebody's elsewhere": str(elsewhere.id), "unknown": str(uuid4())}
    page = start(both, prompt="select_account")
    form = {
        "csrf_token": page.form.values["csrf_token"],
        "account": values.get(chosen, chosen),
    }

    answer = both.post(page.url, form)

    if chosen in values:
        assert answer.status_code == 400
    else:
        assert answer.headers["location"].startswith("/sign-in/select-account")
    assert SESSION not in str(answer.headers.get_list("set-cookie"))


def test_whose_session_has_ended_is_not_offered(product, start, both, ada):
    product.change("update insula.sessions set ended_at = now() where user_id = %s", ada.id)

    page = start(both, prompt="select_account")

    assert ada.email not in page.text
    assert len(accounts_on(page)) == 1


def test_signing_in_again_replaces_ones_own_session_and_not_the_others(product, both, ada):
    before = tokens_in(product, both)

    both.sign_in(both.open(product.url("acme", "/sign-in")), ada)

    after = tokens_in(product, both)
    assert len(after) == 2
    assert after[1] == before[0]
    assert after[0] not in before


def test_the_sixth_person_takes_the_place_of_the_first(product, browser):
    people = [product.person("acme") for _ in range(6)]
    for person in people:
        browser.sign_in(browser.open(product.url("acme", "/sign-in")), person)

    page = browser.open(product.url("acme", "/sign-in/select-account"))

    assert len(tokens_in(product, browser)) == 5
    assert len(accounts_on(page)) == 5
    assert people[0].email not in page.text
    (session,) = product.rows(
        "select ended_for from insula.sessions where user_id = %s", people[0].id
    )
    assert session.ended_for == "displaced"


def test_when_the_present_one_is_over_the_others_may_choose(product, start, both):
    carl = product.person("acme")
    both.sign_in(both.open(product.url("acme", "/sign-in")), carl)
    product.change("update insula.sessions set ended_at = now() where user_id = %s", carl.id)

    page = start(both)

    assert page.path == "/sign-in/select-account"
    assert len(accounts_on(page)) == 2
    assert start(both, prompt="none").answer["error"] == "account_selection_required"


def test_an_application_signs_out_its_own_person_and_nobody_else(
    product, app, start, both, ada, bea
):
    id_token = product.redeem("acme", app, start(both).code).json()["id_token"]
    url = f"/oauth2/logout?id_token_hint={id_token}&post_logout_redirect_uri={SIGNED_OUT}"

    assert both.open(product.url("acme", url)).left == SIGNED_OUT

    ended = {
        row.user_id: row.ended_for
        for row in product.rows(
            "select user_id, ended_for from insula.sessions where user_id in (%s, %s)",
            ada.id,
            bea.id,
        )
    }
    assert ended == {ada.id: None, bea.id: "logout"}
    assert ada.email in both.open(product.url("acme", "/")).text


def test_nobody_is_silently_put_in_the_place_of_whoever_was_signed_out(product, app, start, both):
    id_token = product.redeem("acme", app, start(both).code).json()["id_token"]
    both.open(product.url("acme", f"/oauth2/logout?id_token_hint={id_token}"))

    assert start(both, prompt="none").answer.get("error") in {
        "login_required",
        "account_selection_required",
    }
