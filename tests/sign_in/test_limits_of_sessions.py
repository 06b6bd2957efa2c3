"""How long sessions live and how many there may be, as a tenant decides: also without a limit."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from browsing import Browser
from spine import Api, until

from insula.accounts import service as accounts
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import InvalidSetting
from insula.sign_in.settings import SessionPolicy

_ALIVE = """
    select id, ended_for, idle_expires_at = 'infinity' as may_rest,
           absolute_expires_at = 'infinity' as never_ends,
           idle_expires_at = absolute_expires_at as capped,
           extract(epoch from sweep_after - now()) / 86400 as kept_days
      from insula.sessions where user_id = %s order by created_at
"""


@pytest.fixture
def tenant(product):
    """Make a tenant of its own with a policy; from its first request on it holds."""

    def make(**policy):
        slug = f"lim{secrets.token_hex(5)}"
        product.tenant(slug)
        decide(product, slug, **policy)
        return slug

    return make


@pytest.fixture
def browsers():
    with ExitStack() as opened:
        yield lambda n: [opened.enter_context(Browser()) for _ in range(n)]


def decide(product, slug, **policy):
    async def act(here):
        await config_overrides.change(await here.tenant(slug), SessionPolicy, policy)

    product.backstage.run(act)


def enter(product, slug, browser, person, app, **asked):
    page = browser.sign_in(browser.open(product.authorize_url(slug, app, **asked)), person)
    return page.code


def is_known(product, slug, browser):
    return "You are signed in" in browser.open(product.url(slug, "/")).text


def sessions_of(product, person):
    return product.rows(_ALIVE, person.id)


@pytest.mark.spec("features C04")
def test_a_session_without_limits_lives_till_it_is_ended_and_is_then_swept(
    product, tenant, browsers
):
    slug = tenant(absolute_timeout_hours=0, idle_timeout_minutes=0)
    app, ada, (browser,) = product.app(slug), product.person(slug), browsers(1)
    code = enter(product, slug, browser, ada, app)
    assert product.redeem(slug, app, code).status_code == 200
    (session,) = sessions_of(product, ada)
    assert (session.may_rest, session.never_ends) == (True, True)
    product.change(
        "update insula.sessions set last_seen_at = last_seen_at - interval '9 years',"
        " created_at = created_at - interval '9 years', auth_time = auth_time - interval '9 years'"
        " where id = %s",
        session.id,
    )
    product.change(
        "update insula.tenants set access_ended_at = '-infinity' where id = %s",
        product.tenant_id(slug),
    )
    assert browser.open(product.authorize_url(slug, app)).code
    (session,) = sessions_of(product, ada)
    assert (session.may_rest, session.never_ends) == (True, True)

    decide(product, slug, idle_timeout_minutes=30)  # those that live are held to it when next used

    def rests():
        product.change(
            "update insula.sessions set last_seen_at = now() - interval '1 hour' where id = %s",
            session.id,
        )
        assert browser.open(product.authorize_url(slug, app)).code
        return not sessions_of(product, ada)[0].may_rest

    until(10, rests)
    assert sessions_of(product, ada)[0].never_ends
    assert 29 < sessions_of(product, ada)[0].kept_days < 31

    product.in_transaction(slug, lambda db: accounts.disable(db, ada.id))
    assert not is_known(product, slug, browser)
    reached = "select sweep_after <= now() as dead from insula.session_clients where user_id = %s"
    assert [row.dead for row in product.rows(reached, ada.id)] == [False]
    product.change(
        "update insula.sessions set sweep_after = now() - interval '100 years' where id = %s",
        session.id,
    )
    product.rows("select insula.sweep_expired('sessions', 1)")
    assert sessions_of(product, ada) == []
    assert [row.dead for row in product.rows(reached, ada.id)] == [True]


@pytest.mark.spec("features C04", "features C05")
def test_a_limit_that_comes_later_ends_a_session_that_had_none_at_its_next_use(
    product, tenant, browsers
):
    slug = tenant(absolute_timeout_hours=0, idle_timeout_minutes=0)
    app, ada, (browser,) = product.app(slug), product.person(slug), browsers(1)
    enter(product, slug, browser, ada, app)
    decide(product, slug, absolute_timeout_hours=24)

    def is_shorter():
        product.change(
            "update insula.sessions set last_seen_at = last_seen_at - interval '1 hour'"
            " where user_id = %s",
            ada.id,
        )
        assert browser.open(product.authorize_url(slug, app)).code
        return not sessions_of(product, ada)[0].may_rest

    until(10, is_shorter)
    ends = "select idle_expires_at = created_at + interval '24 hours' as so from insula.sessions"
    assert [row.so for row in product.rows(f"{ends} where user_id = %s", ada.id)] == [True]


@pytest.mark.spec("features C04")
def test_a_limit_is_none_or_ten_years_at_most(product, tenant):
    slug = tenant()
    for field, most in (("absolute_timeout_hours", 87_600), ("idle_timeout_minutes", 5_256_000)):
        decide(product, slug, **{field: most})
        with pytest.raises(InvalidSetting):
            decide(product, slug, **{field: most + 1})


@pytest.mark.spec("features C04", "OIDCBCL-2.5")
@pytest.mark.parametrize(("first", "then"), [(720, 0), (0, 720)])
def test_what_a_session_reached_is_remembered_as_long_as_one_that_takes_its_place(
    product, tenant, browsers, first, then
):
    """Both have one sid, and one of them has no end."""
    slug = tenant(absolute_timeout_hours=first, idle_timeout_minutes=0)
    app, ada, (browser,) = product.app(slug), product.person(slug), browsers(1)
    product.redeem(slug, app, enter(product, slug, browser, ada, app))
    decide(product, slug, absolute_timeout_hours=then)
    product.redeem(slug, app, enter(product, slug, browser, ada, app, prompt="login"))
    former, present = sessions_of(product, ada)
    assert (former.never_ends, present.never_ends) == (first == 0, then == 0)
    reached = "select from insula.session_clients where user_id = %s and sweep_after"
    assert len(product.rows(f"{reached} = 'infinity'", ada.id)) == 1

    for session in (former, present):
        assert len(product.rows(f"{reached} = 'infinity'", ada.id)) == 1
        product.change(
            "update insula.sessions set ended_at = coalesce(ended_at, now()) where id = %s",
            session.id,
        )
        product.change(
            "update insula.sessions set sweep_after = now() - interval '100 years' where id = %s",
            session.id,
        )
        product.rows("select insula.sweep_expired('sessions', 1)")
    assert sessions_of(product, ada) == []
    assert len(product.rows(f"{reached} <= now()", ada.id)) == 1


@pytest.mark.spec("features C04")
def test_people_who_end_each_others_sessions_at_once_both_sign_in(product, tenant, browsers):
    slug = tenant(max_concurrent_sessions=1, max_accounts_per_session=1)
    ada, bea, (one, two) = product.person(slug), product.person(slug), browsers(2)

    def form(browser):
        page = browser.open(product.url(slug, "/sign-in"))
        return page if "username" in page.form.values else browser.open(f"{page.url}&another=1")

    def present(browser):
        return browser.open(product.url(slug, "/")).text

    for browser, person in ((one, ada), (two, bea)):
        browser.sign_in(form(browser), person)
    for first, second in ((bea, ada), (ada, bea)) * 3:  # each where the other one is
        entering = [(one, form(one), first), (two, form(two), second)]
        with ThreadPoolExecutor(2) as pool:
            pages = list(pool.map(lambda at: at[0].sign_in(at[1], at[2]), entering))
        assert [page.status for page in pages] == [200, 200]
        assert first.email in present(one)
        assert second.email in present(two)


@pytest.mark.spec("features C04")
def test_one_limit_holds_without_the_other(product, tenant, browsers):
    slug = tenant(idle_timeout_minutes=0)
    ada, (browser,) = product.person(slug), browsers(1)
    enter(product, slug, browser, ada, product.app(slug))
    (session,) = sessions_of(product, ada)
    assert (session.capped, session.never_ends) == (True, False)
    product.in_transaction(slug, lambda db: accounts.lock(db, ada.id))
    assert sessions_of(product, ada)[0].kept_days > 30  # as ever: a day after its end


@pytest.mark.spec("features C04")
def test_with_one_session_more_than_there_may_be_the_oldest_ends(product, tenant, browsers):
    slug = tenant(max_concurrent_sessions=2)
    app = product.app(
        slug,
        refresh_without_offline_access=True,
        backchannel_logout_uri="http://127.0.0.1:9000/out",
    )
    ada, bea, api = product.person(slug), product.person(slug), Api(product, slug, app)
    first, second, third, elsewhere = browsers(4)
    enter(product, slug, elsewhere, bea, app)
    tokens = api.redeem(enter(product, slug, first, ada, app)).json()
    enter(product, slug, second, ada, app)
    enter(product, slug, second, ada, app, prompt="login")  # in the place of the one before
    assert is_known(product, slug, first)
    assert not product.audit(slug, "session.revoked")

    enter(product, slug, third, ada, app)

    known = [is_known(product, slug, browser) for browser in (first, second, third, elsewhere)]
    assert known == [False, True, True, True]
    assert api.userinfo(tokens["access_token"]).status_code == 401
    assert api.refresh(tokens["refresh_token"]).status_code == 400
    told = product.rows(
        "select s.ended_for from insula.session_clients c"
        " join insula.sessions s using (tenant_id, sid)"
        " where c.user_id = %s and c.announced_at is not null",
        ada.id,
    )
    assert [row.ended_for for row in told] == ["displaced"]
    product.change("delete from insula.session_clients where user_id = %s", ada.id)  # nobody waits
    oldest, renewed, *others = sessions_of(product, ada)
    assert (oldest.ended_for, renewed.ended_for) == ("displaced", "renewed")
    (line,) = product.audit(slug, "session.revoked", target_id=str(oldest.id))
    assert (line.actor_type, line.actor_id) == ("user", str(ada.id))
    assert line.metadata == {"why": "max_concurrent_sessions", "for": str(others[-1].id)}


@pytest.mark.spec("features C04")
def test_sign_ins_at_once_leave_no_more_than_there_may_be(product, tenant, browsers):
    slug = tenant(max_concurrent_sessions=1)
    app, ada = product.app(slug), product.person(slug)
    pages = [(each, each.open(product.authorize_url(slug, app))) for each in browsers(4)]
    with ThreadPoolExecutor(4) as pool:
        arrived = list(pool.map(lambda at: at[0].sign_in(at[1], ada), pages))
    # whose session ends before they are back at the application are asked again
    assert {page.path for page in arrived if not page.left} <= {"/sign-in"}
    assert any(page.left for page in arrived)
    found = [row.ended_for for row in sessions_of(product, ada)]
    assert sorted(map(str, found)) == ["None", "displaced", "displaced", "displaced"]
