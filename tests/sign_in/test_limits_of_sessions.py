"""How long sessions live and how many there may be, as a tenant decides: also without a limit."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from browsing import Browser
from spine import Api, until

from insula.accounts import service as accounts
from insula.config_overrides import service as config_overrides
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
    for column in ("last_seen_at", "created_at", "auth_time"):
        product.change(
            f"update insula.sessions set {column} = {column} - interval '9 years' where id = %s",  # noqa: S608
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
        assert all(pool.map(lambda at: at[0].sign_in(at[1], ada).left, pages))
    found = [row.ended_for for row in sessions_of(product, ada)]
    assert sorted(map(str, found)) == ["None", "displaced", "displaced", "displaced"]
