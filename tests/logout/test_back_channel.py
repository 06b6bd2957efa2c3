"""Applications hear, server to server, that a sign-in ended (LO-6, LO-7, LO-12)."""

import time

import jwt
import pytest
from back_channels import delivered, verified
from people import hashed
from product import SIGNED_OUT
from spine import Api, tokens_of, until
from sqlalchemy import text

from insula.accounts import service as accounts
from insula.audit.models import SYSTEM
from insula.jobs.queue import enqueue
from insula.tenants import service as tenants

EVENT = "http://schemas.openid.net/event/backchannel-logout"
RSA = {"id_token_signed_response_alg": "RS256"}
#: Seconds after which a notice that was not sent would have been.
QUIET = 2

pytestmark = pytest.mark.usefixtures("worker")


def rp_logout(product, visit, **parameters):
    """The application sends its person to the end session endpoint."""
    asked = {"id_token_hint": visit.tokens["id_token"], **parameters}
    return visit.browser.open(product.url(visit.slug, "/oauth2/logout"), params=asked)


def sign_out(product, visit):
    """The person signs out at the provider."""
    page = visit.browser.open(product.url(visit.slug, "/sign-in/out"))
    return visit.browser.submit(page, "sign_out")


@pytest.mark.spec("OIDCBCL-2.4", "OIDCBCL-2.5", "LO-6", "LO-7")
def test_the_notice_is_about_the_session_of_the_id_token(product, channel, visit):
    here = visit()
    before = time.time()

    rp_logout(product, here)

    (notice,) = channel.wait_for(here.path)
    assert notice.content_type == "application/x-www-form-urlencoded"
    assert set(notice.form) == {"logout_token"}
    says = verified(product, "acme", here.app, notice)
    assert set(says) == {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}
    assert says["events"] == {EVENT: {}}
    assert (says["sub"], says["sid"]) == (here.id_token["sub"], here.id_token["sid"])
    assert says["exp"] - says["iat"] == 120
    assert before - 1 <= says["iat"] <= time.time() + 1


@pytest.mark.spec("OIDCBCL-2.4", "LO-6")
def test_it_is_signed_as_the_applications_id_tokens_are(product, channel, visit):
    here = visit(**RSA)

    rp_logout(product, here)

    (notice,) = channel.wait_for(here.path)
    assert verified(product, "acme", here.app, notice, alg="RS256")


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
def test_it_is_there_within_two_seconds_and_the_page_does_not_wait(product, channel, visit):
    here, started = visit(), time.monotonic()

    arrived = rp_logout(product, here, post_logout_redirect_uri=SIGNED_OUT)

    answered = time.monotonic()
    assert arrived.left == SIGNED_OUT
    (notice,) = channel.wait_for(here.path)
    assert notice.at - answered < 2
    assert answered - started < 2


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
def test_every_application_of_the_sign_in_is_told_once(product, channel, visit, told_app):
    here = visit()
    other, path = told_app()
    untold, elsewhere = told_app()
    for _ in range(2):
        tokens_of(product, "acme", other, here.browser, "openid")
    tokens_of(product, "acme", untold, here.browser, "profile")  # it got no id_token

    rp_logout(product, here)

    channel.wait_for(here.path)
    channel.wait_for(path)
    delivered(product, here.sid)
    assert [len(channel.to(p)) for p in (here.path, path, elsewhere)] == [1, 1, 0]
    first, second = channel.to(here.path)[0].says, channel.to(path)[0].says
    assert first["sid"] == second["sid"]
    assert first["jti"] != second["jti"]


@pytest.mark.spec("OIDCBCL-2.8", "LO-7")
def test_a_notice_that_was_not_taken_is_sent_again_and_then_no_more(product, channel, visit):
    here = visit()
    channel.answers[here.path] = [500]

    rp_logout(product, here)

    first, second = channel.wait_for(here.path, 2, seconds=20)
    delivered(product, here.sid)
    assert first.says["jti"] == second.says["jti"]  # the same notice, signed anew
    assert verified(product, "acme", here.app, second)
    time.sleep(QUIET)
    assert len(channel.to(here.path)) == 2


@pytest.mark.spec("OIDCBCL-2.8", "LO-7")
@pytest.mark.parametrize("status", [200, 204])
def test_a_notice_that_was_taken_is_not_sent_again(product, channel, visit, status):
    here = visit()
    channel.answers[here.path] = [status]

    rp_logout(product, here)

    channel.wait_for(here.path)
    delivered(product, here.sid)
    (told,) = product.rows("select id from insula.session_clients where sid = %s", here.sid)
    product.in_transaction(  # as a worker does that died between the answer and its note of it
        "acme", lambda db: enqueue(db, "logout.deliver", {"notice": told.id})
    )
    time.sleep(QUIET)
    assert len(channel.to(here.path)) == 1


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
def test_an_application_that_never_answers_delays_nobody(product, channel, dead_channel, visit):
    dead = visit(backchannel_logout_uri=dead_channel.url("/dead"))
    here = visit("globex")
    product.change(
        "insert into insula.session_clients (tenant_id, sid, client_id, user_id, sweep_after)"
        " select tenant_id, gen_random_uuid(), client_id, user_id, sweep_after"
        " from insula.session_clients, generate_series(1, 40) where sid = %s",
        dead.sid,
    )
    rows = product.rows("select sid from insula.session_clients where client_id = %s", dead.app.id)
    announce = text("select insula.announce_logout(:sids)").bindparams(
        sids=[row.sid for row in rows if row.sid != dead.sid]
    )
    product.in_transaction("acme", lambda db: db.execute(announce))
    until(5, lambda: dead_channel.notices)

    rp_logout(product, here)

    answered = time.monotonic()
    (notice,) = channel.wait_for(here.path, seconds=30)
    assert notice.at - answered < 2


# --- what ends a sign-in ------------------------------------------------------------------


async def _disable(db, person):
    await accounts.disable(db, person)


async def _lock(db, person):
    await accounts.lock(db, person)


async def _change(db, person):
    await accounts.change_password(db, person, hashed("seventeen grey herons"), actor=SYSTEM)


async def _reset(db, person):
    await accounts.change_password(
        db, person, hashed("seventeen grey herons"), actor=SYSTEM, must_change=True
    )


@pytest.mark.spec("LO-12", "OIDCBCL-2.5")
@pytest.mark.parametrize(
    "act", [_disable, _lock, _change, _reset], ids=lambda act: act.__name__.strip("_")
)
def test_access_that_ends_is_told_everywhere_the_person_was(product, channel, visit, act):
    here = visit()
    there = visit(person=here.person)
    bystander = visit()
    assert here.sid != there.sid

    product.in_transaction("acme", lambda db: act(db, here.person.id))

    for each in (here, there):
        (notice,) = channel.wait_for(each.path)
        assert notice.says["sid"] == str(each.sid)
    assert not channel.to(bystander.path)


@pytest.mark.spec("LO-12", "OIDCBCL-2.5")
def test_the_person_signs_out_at_the_provider(product, channel, visit):
    here = visit()

    assert "You are signed out" in sign_out(product, here).text

    (notice,) = channel.wait_for(here.path)
    assert notice.says["sid"] == str(here.sid)


@pytest.mark.spec("LO-12", "OIDCBCL-2.5")
def test_a_suspension_is_told_for_every_sign_in_of_the_tenant(product, channel, visit):
    product.tenant("closing")
    both = [visit("closing") for _ in range(2)]
    bystander = visit()

    product.suspend("closing")

    for each in both:
        (notice,) = channel.wait_for(each.path, seconds=20)
        assert notice.says["sid"] == str(each.sid)
        assert notice.says["iss"] == product.issuer("closing")
    time.sleep(QUIET)
    assert [len(channel.to(each.path)) for each in both] == [1, 1]
    assert not channel.to(bystander.path)
    rows = product.rows(
        "select ended_for from insula.sessions where tenant_id = %s", product.tenant_id("closing")
    )
    assert {row.ended_for for row in rows} == {"tenant_suspended"}


@pytest.mark.spec("LO-12")
def test_who_signs_in_after_a_suspension_is_not_signed_out_by_it(product, channel, visit):
    product.tenant("reopening")
    before = visit("reopening")
    product.suspend("reopening")
    product.backstage.run(lambda here: tenants.set_status(here.platform, "reopening", "active"))
    with product.http() as http:
        until(10, lambda: http.get(product.url("reopening", "/oauth2/jwks")).status_code == 200)
    after = visit("reopening", person=before.person)

    channel.wait_for(before.path, seconds=20)
    time.sleep(QUIET)

    assert not channel.to(after.path)
    assert after.browser.open(product.authorize_url("reopening", after.app, prompt="none")).code


# --- what does not ------------------------------------------------------------------------


@pytest.mark.spec("OIDCBCL-2.1", "LO-6")
def test_proving_oneself_again_is_no_sign_out(product, channel, visit):
    here = visit()
    page = here.browser.open(product.authorize_url("acme", here.app, prompt="login"))
    arrived = here.browser.sign_in(page, here.person)

    answer = product.redeem("acme", here.app, arrived.code)
    time.sleep(QUIET)

    assert answer.status_code == 200
    again = jwt.decode(answer.json()["id_token"], options={"verify_signature": False})
    assert again["sid"] == str(here.sid)
    assert not channel.to(here.path)
    rp_logout(product, here)
    (notice,) = channel.wait_for(here.path)
    assert notice.says["sid"] == str(here.sid)


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
def test_switched_off_nothing_is_sent(product, channel, visit):
    product.tenant("silent")
    product.change(
        "insert into insula.tenant_settings (tenant_id, section, value)"
        " values (%s, 'oidc.features', '{\"backchannel_logout\": false}')",
        product.tenant_id("silent"),
    )
    here = visit("silent")

    sign_out(product, here)
    time.sleep(QUIET)

    assert not channel.to(here.path)


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
def test_staying_signed_in_is_not_told(product, channel, visit):
    here = visit()
    page = here.browser.open(product.url("acme", "/sign-in/out"))

    here.browser.submit(page, "stay")
    time.sleep(QUIET)

    assert not channel.to(here.path)


@pytest.mark.spec("OIDCBCL-2.5", "LO-12")
def test_nobody_of_another_tenant_is_told(product, channel, visit):
    ours, theirs = visit("acme"), visit("globex")

    product.in_transaction("acme", lambda db: accounts.disable(db, ours.person.id))

    channel.wait_for(ours.path)
    time.sleep(QUIET)
    assert not channel.to(theirs.path)
    assert Api(product, "globex", theirs.app).is_active(theirs.tokens["access_token"])


@pytest.mark.spec("OIDCBCL-2.7", "LO-8")
def test_what_hangs_on_the_session_ends_and_what_stays_connected_does_not(product, visit):
    stays, hangs = visit(), visit(refresh_without_offline_access=True, scope="openid")

    for each in (stays, hangs):
        rp_logout(product, each)

    stays_api, hangs_api = (Api(product, "acme", each.app) for each in (stays, hangs))
    assert stays_api.refresh(stays.tokens["refresh_token"]).status_code == 200
    assert hangs_api.refresh(hangs.tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not hangs_api.is_active(hangs.tokens["access_token"])
