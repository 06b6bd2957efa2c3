"""A link lets one person choose their password, once; nobody else has known it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from addresses import seen
from browsing import Browser

from insula.accounts import service as accounts
from insula.accounts.activation import service as activation
from insula.accounts.activation.errors import NoLinkForThem
from insula.accounts.administration import service as administration
from insula.audit.models import SYSTEM
from insula.tenants import service as tenants

NEW = "seventeen grey herons"

pytestmark = pytest.mark.spec("features F21", "features G02")


@pytest.fixture
def newcomer(product):
    return product.newcomer("acme")


def send(browser, page, password=NEW, repeat=None):
    return browser.submit(
        page, "save", new_password=password, repeat=password if repeat is None else repeat
    )


def token_of(url):
    return parse_qs(urlsplit(url).query)["token"][0]


def links_of(product, person):
    return product.rows(
        "select * from insula.activation_links where user_id = %s order by created_at", person.id
    )


def test_a_link_is_looked_at_as_often_as_one_likes_and_used_once(
    product, start, browser, another_browser, newcomer
):
    url = product.activation_url("acme", newcomer)
    for _ in range(3):  # a program that looks at mail does this too
        page = browser.open(url)
        assert browser.http.head(url).status_code == 200
    assert page.status == 200
    assert page.response.headers["cache-control"] == "no-store"
    assert page.response.headers["referrer-policy"] == "no-referrer"
    assert newcomer.email in page.text
    assert page.form.values["username"] == newcomer.email
    (link,) = links_of(product, newcomer)
    assert link.used_at is None
    assert (link.expires_at - link.created_at).total_seconds() == 24 * 3600
    assert token_of(url).encode() not in bytes(link.token_hash)

    late = another_browser.open(url)
    arrived = send(browser, page)

    assert arrived.path == "/"
    assert "You are signed in" in arrived.text
    (session,) = product.rows("select * from insula.sessions where user_id = %s", newcomer.id)
    assert session.amr == ["pwd"]
    (user,) = product.rows("select * from insula.users where id = %s", newcomer.id)
    assert (user.email_verified, user.must_change_password) == (False, False)
    assert send(another_browser, late, "another password of mine").status == 410
    assert another_browser.sign_in(start(another_browser), newcomer, NEW).code
    for event in ("user.password_reset_sent", "user.password_reset_completed"):
        (line,) = product.audit("acme", event, target_id=str(newcomer.id))
        assert line.metadata["purpose"] == "activation"
        assert token_of(url) not in str(line)
    assert line.actor_id == str(newcomer.id)
    assert token_of(url) not in product.server.log.read_text()
    assert another_browser.open(url).status == 410


def ended(product, person):
    """Links of somebody that are over, each in its way; the last one lives on at the end."""

    def after(act):
        url = product.activation_url("acme", person)
        product.in_transaction("acme", act)
        return url

    yield product.activation_url("acme", person)
    product.change(
        "update insula.activation_links set expires_at = now() where user_id = %s", person.id
    )
    yield product.activation_url("acme", person)  # replaced by the next
    yield after(lambda db: accounts.disable(db, person.id))
    product.in_transaction("acme", lambda db: accounts.enable(db, person.id))
    yield after(lambda db: administration.lock(db, person.id, actor=SYSTEM))
    product.in_transaction("acme", lambda db: administration.unlock(db, person.id, SYSTEM))
    yield after(lambda db: accounts.change_password(db, person.id, "x", actor=SYSTEM))
    changed = {"email": f"x{person.email}"}
    yield after(lambda db: administration.update(db, person.id, changed, actor=SYSTEM))
    yield product.activation_url("globex", product.newcomer("globex"))
    url = product.activation_url("acme", person)
    yield f"{url}x"
    yield f"{url}&token=x"
    yield url.partition("?")[0]
    gone = product.newcomer("acme")
    url = product.activation_url("acme", gone)
    product.change("delete from insula.users where id = %s", gone.id)
    yield url


@pytest.mark.spec("features G06", "features CR-7")
def test_whatever_is_wrong_with_a_link_is_answered_alike(product, browser, newcomer):
    page = browser.open(product.activation_url("acme", newcomer))
    form = {**page.form.values, "new_password": NEW, "repeat": NEW}

    answers = []
    for url in list(ended(product, newcomer)):
        here = url.replace(product.issuer("globex"), product.issuer("acme"))
        answers += [browser.get(here), browser.post(here, form)]

    assert len(answers) == 22
    assert len({str(seen(answer)) for answer in answers}) == 1
    assert answers[0].status_code == 410
    assert "link_expired" in answers[0].text
    assert newcomer.email not in answers[0].text
    assert not product.rows("select * from insula.sessions where user_id = %s", newcomer.id)
    assert [link.used_at for link in links_of(product, newcomer)] == [None] * 8
    assert sum(link.ended_at is None for link in links_of(product, newcomer)) == 1


def test_a_tenant_that_is_not_active_lets_nobody_in_by_a_link(product, browser):
    product.tenant("links-of-ours")
    newcomer = product.newcomer("links-of-ours")
    page = browser.open(product.activation_url("links-of-ours", newcomer))
    assert page.status == 200

    product.suspend("links-of-ours")

    # a process that has not heard of it yet finds the link ended
    assert send(browser, page).status in (403, 410)
    (link,) = links_of(product, newcomer)
    (user,) = product.rows("select password_hash from insula.users where id = %s", newcomer.id)
    assert link.used_at is user.password_hash is None


@pytest.mark.spec("features CR-7")
def test_a_link_of_before_a_suspension_stays_dead_after_it(product, browser):
    product.tenant("links-of-before")
    newcomer = product.newcomer("links-of-before")
    url = product.activation_url("links-of-before", newcomer)
    product.suspend("links-of-before")
    product.backstage.run(
        lambda here: tenants.set_status(here.platform, "links-of-before", "active")
    )

    assert browser.open(url).status == 410
    assert browser.open(product.activation_url("links-of-before", newcomer)).status == 200


@pytest.mark.spec("features CR-6")
def test_a_link_ends_with_a_role_that_is_more_than_it_was_made_for(product, browser, newcomer):
    url = product.activation_url("acme", newcomer)
    for role, status in (("user", 200), ("superadmin", 410)):
        product.in_transaction(
            "acme", lambda db, role=role: accounts.grant_role(db, newcomer.id, role)
        )
        assert browser.open(url).status == status
    (link,) = links_of(product, newcomer)
    assert link.ended_for == "role_granted"
    assert browser.open(product.activation_url("acme", newcomer)).status == 200


def test_of_many_who_use_a_link_at_once_one_does(product, newcomer):
    url = product.activation_url("acme", newcomer)
    browsers = [Browser() for _ in range(6)]
    pages = [browser.open(url) for browser in browsers]

    def use(n):
        return send(browsers[n], pages[n], f"password number {n} of many")

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(use, range(len(browsers))))
    for browser in browsers:
        browser.close()

    assert sorted(answer.status for answer in answers) == [200, *[410] * 5]
    assert len(product.rows("select * from insula.sessions where user_id = %s", newcomer.id)) == 1
    completed = product.audit("acme", "user.password_reset_completed", target_id=str(newcomer.id))
    assert len(completed) == 1


def test_somebody_has_one_living_link_however_many_are_made_at_once(product, browser, newcomer):
    async def act(here):
        tenant = await here.tenant("acme")

        async def make():
            async with tenant.transaction() as db:
                return await activation.issue(db, tenant.id, newcomer.id)

        return await asyncio.gather(*(make() for _ in range(5)))

    made = product.backstage.run(act)

    found = [browser.get(link.url(product.issuer("acme"))).status_code for link in made]
    assert sorted(found) == [200, 410, 410, 410, 410]


@pytest.mark.spec("security 52", "features CR-5", "features UI-7")
def test_a_password_that_will_not_do_is_refused_at_its_field_and_the_link_lives(
    product, browser, newcomer
):
    page = browser.open(product.activation_url("acme", newcomer))
    for typed, repeat, field, said in (
        ("fourteen chars", None, "new_password", "Use at least 15 characters."),
        (f"{newcomer.username}acme1", None, "new_password", "mostly your name"),
        (NEW, f"{NEW}.", "repeat", "The two passwords differ."),
    ):
        page = send(browser, page, typed, repeat)
        assert page.status == 422
        assert said in page.text
        assert f"#{field}" in page.links
        assert page.form.values["new_password"] == page.form.values["repeat"] == ""
        assert "<title>Error: Choose your password" in page.response.text
    form = {"new_password": NEW, "repeat": NEW, "csrf_token": "x" * 43}
    assert browser.post(page.url, form).status_code == 403
    elsewhere = browser.send(
        page, "save", new_password=NEW, repeat=NEW, headers={"origin": "https://evil.example"}
    )
    assert elsewhere.status_code == 403

    assert "You are signed in" in send(browser, page).text


def test_an_address_is_verified_by_a_link_that_went_there_alone(product, browser, newcomer):
    assert (
        send(browser, browser.open(product.activation_url("acme", newcomer, mailed=True))).path
        == "/"
    )

    (user,) = product.rows("select email_verified from insula.users where id = %s", newcomer.id)
    assert user.email_verified is True
    assert product.audit("acme", "user.email_verified", target_id=str(newcomer.id))


@pytest.mark.spec("features G06")
def test_a_link_of_who_has_a_password_replaces_it_and_ends_what_is_open(
    product, start, browser, another_browser, ada
):
    assert another_browser.sign_in(start(another_browser), ada).code
    url = product.activation_url("acme", ada)
    assert browser.sign_in(start(), ada).code  # a link that waits changes nothing

    assert "You are signed in" in send(browser, browser.open(url)).text

    home = product.url("acme", "/")
    assert another_browser.open(home).path == "/sign-in"
    assert another_browser.sign_in(start(another_browser), ada).status == 422
    (line,) = product.audit("acme", "user.password_reset_completed", target_id=str(ada.id))
    assert line.metadata["purpose"] == "reset"


def test_who_is_shut_out_gets_no_link_nor_does_who_needs_none(product, ada, newcomer):
    product.in_transaction("acme", lambda db: accounts.disable(db, newcomer.id))
    with pytest.raises(NoLinkForThem, match="disabled or locked"):
        product.activation_url("acme", newcomer)
    with pytest.raises(NoLinkForThem, match="a password already"):
        product.activation_url("acme", ada, pending_only=True)
