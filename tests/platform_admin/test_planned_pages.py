"""A change that is planned, on pages: chosen in the review, in sight, carried out, taken back."""

import re
import secrets

import pytest
from pressing import submit

from insula.audit.models import SYSTEM, Actor
from insula.config_overrides import plans, service
from insula.config_overrides.saving import Claim, Saving
from insula.platform.sections import CATALOGUE
from insula.providers.settings import TokenLifetimes
from insula.tenancy.models import PLATFORMS

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

pytestmark = pytest.mark.spec("features BEY-3")


@pytest.fixture
def later(browser):
    """Review what is typed into a page's form, and plan it."""

    def later(page, *, days="7", reason="", **typed):
        review = submit(browser, page, "/review", **typed)
        return submit(browser, review, page.path, save="1", when="later", days=days, reason=reason)

    return later


def fail(product, slug):
    """The time of what a tenant planned comes, and a document owns a field of it meanwhile."""

    async def run(here):
        tenant = await here.tenant(slug)
        claim = Saving(Actor("client", "git"), claim=Claim())
        await service.change(tenant, TokenLifetimes, {"device_code": 800}, claim)
        plan = (await service.load(tenant)).plan("tenant", "oidc.ttl")
        done = await plans.carry_out(here.platform, CATALOGUE, here.envelope, tenant.id, plan.id)
        assert done.failure

    product.backstage.run(run)


def decided(product, slug):
    async def read(here):
        found = await service.load(await here.tenant(slug))
        return found.own.get("oidc.ttl", {})

    return product.backstage.run(read)


@pytest.mark.spec("features UI-4", "features CR-4")
def test_a_change_is_planned_in_its_review_and_stands_on_the_page_until_it_is_taken_back(
    product, browser, section, save, later, viewing, runner, tenant
):
    page, stale = section("oidc.ttl"), section("oidc.ttl")
    for days in ("", "0", "31", "soon", "1.5", "-1"):
        wrong = later(page, days=days, device_code="300")
        assert (wrong.status, "A whole number from 1 to 30." in wrong.text) == (422, True)
    done = later(page, days="3", reason="The <audit>", device_code="300")
    assert "Planned. Nothing has changed yet." in done.text
    assert "Changes on " in done.text
    assert "Device code: 600 seconds = 10 minutes becomes 300 seconds = 5 minutes" in done.text
    assert "Planned by Ada Lovelace" in done.text
    assert "because “The <audit>”" in done.text
    assert "Becomes 300 seconds = 5 minutes on" in done.text
    assert decided(product, tenant) == {}
    (line,) = product.audit(tenant, "config.change_planned")
    assert (line.actor_id, line.metadata["reason"]) == (str(runner.id), "The <audit>")
    lost = submit(browser, stale, "/review", client_credentials="900")
    assert lost.status == 409
    assert "Ada Lovelace planned a change of Device code just now." in lost.text

    review = submit(browser, section("oidc.ttl"), "/review", device_code="900")
    assert "A change of Device code is planned for" in review.text
    assert "It replaces what Ada Lovelace planned for" in review.text
    save(section("oidc.ttl"), device_code="900")
    assert "900 seconds = 15 minutes becomes 300" in section("oidc.ttl").text
    seen = viewing.open(done.url)
    assert "Changes on " in seen.text
    assert "Take back" not in seen.text
    assert "Put into effect now" not in viewing.open(f"{seen.url.partition('?')[0]}/plan").text

    old = section("oidc.ttl/plan")
    later(section("oidc.ttl"), device_code="120")
    refused = submit(browser, old, "/plan", apply="1")
    assert refused.status == 409
    assert "Nothing was done" in refused.text
    back = submit(browser, section("oidc.ttl"), "/plan", withdraw="1")
    assert "Taken back." in back.text
    assert "Changes on " not in back.text
    gone = submit(browser, old, "/plan", apply="1")
    assert (gone.status, "Nothing is planned any more" in gone.text) == (409, True)
    assert section("oidc.ttl/plan").path.endswith("/config/oidc.ttl")
    assert decided(product, tenant) == {"device_code": 900}


def test_its_page_counts_anew_names_whom_it_shuts_out_and_puts_it_into_effect(
    product, browser, section, later, tenant
):
    page = later(section("oidc.features"), device="", reason="Nobody has a television")
    assert "Device: on becomes off" in page.text
    plan = section("oidc.features/plan")
    assert "This shuts somebody out" not in plan.text
    product.app(tenant, grant_types=(DEVICE,), redirect_uris=())
    plan = section("oidc.features/plan")
    assert "1 of 1 application could not use the device grant" in plan.text
    named = submit(browser, plan, "/plan", names="1")
    assert "Who" in named.text
    assert product.audit(tenant, "tenant.viewed_by_platform")
    long = submit(browser, plan, "/plan", apply="1", reason="x" * 501)
    assert (long.status, "at most 500 characters" in long.text) == (422, True)
    product.suspend(tenant)
    assert "The tenant is suspended, and the change waits" in section("oidc.features/plan").text
    assert "Saved." in submit(browser, named, "/plan", apply="1").text
    (line,) = product.audit(tenant, "config.updated")
    assert line.metadata["reason"] == "Nobody has a television"
    assert line.metadata["planned_by"] == {"type": "platform", "id": line.actor_id}


def test_what_could_not_be_says_why_and_what_to_do(product, browser, section, later, tenant):
    later(section("oidc.ttl"), device_code="300", client_credentials="900")
    fail(product, tenant)
    page = section("oidc.ttl")
    assert "could not be put into effect" in page.text
    assert "Owned by Git: oidc.ttl.device_code." in page.text
    assert "Nothing of it was done." in page.text
    assert "Becomes" not in page.text
    plan = section("oidc.ttl/plan")
    assert "Why it could not be" in plan.text
    refused = submit(browser, plan, "/plan", apply="1")
    assert refused.status == 409
    assert "Device code: Owned by Git" in refused.text
    assert decided(product, tenant) == {"device_code": 800}
    assert "Taken back." in submit(browser, plan, "/plan", withdraw="1").text


def test_defaults_and_bounds_are_planned_and_a_review_adds_up_whom_a_bound_shuts_out(
    product, browser, section, platforms, later
):
    for _ in range(2):
        slug = f"pl{secrets.token_hex(5)}"
        product.tenant(slug)
        product.app(slug, grant_types=(DEVICE,), redirect_uris=())

        async def on(here, slug=slug):
            async with (await here.tenant(slug)).transaction() as db:
                features = CATALOGUE.get("oidc.features")
                await service.change_in(db, features, {"device": True}, Saving(SYSTEM))

        product.backstage.run(on)
    review = submit(browser, platforms("bounds/oidc.features"), "/review", device="off")
    said = r"In (\d+) tenants, (\d+) of \d+ applications could not use the device grant"
    # what other tests have left is among them, and may be among those that inherit
    counted, *_ = re.findall(said, review.text)
    assert all(int(each) >= 2 for each in counted)
    assert "tenants have stored something beyond it" in review.text
    assert "Counted in these tenants." in review.text
    assert re.search(r"\d+ tenants that inherit are held to it too", review.text)
    assert "Device: on becomes off" in review.text
    planned = later(platforms("bounds/oidc.features"), device="off", reason="Gone")
    assert "Device: none becomes off" in planned.text
    theirs = section("oidc.features").text
    assert "Its bounds change on " in theirs
    assert "for all tenants: Device off." in theirs
    plan = platforms("bounds/oidc.features/plan")
    assert re.findall(said, plan.text)[0] == counted
    bounds = "select bounds from insula.platform_settings where section = 'oidc.features'"
    assert all(not row.bounds for row in product.rows(bounds))
    assert "Saved." in submit(browser, plan, "/plan", apply="1").text
    (row,) = product.rows(bounds)
    assert row.bounds == {"device": False}

    inherited = later(platforms("defaults/oidc.ttl"), client_credentials="1200")
    assert "Client credentials: 600 seconds = 10 minutes becomes 1,200" in inherited.text
    theirs = section("oidc.ttl").text
    assert "Changes on " not in theirs
    assert "What it inherits changes on " in theirs
    assert "Client credentials: 600 seconds = 10 minutes becomes 1,200" in theirs
    assert "Taken back." in submit(browser, inherited, "/plan", withdraw="1").text
    newest = product.audit(PLATFORMS, "config.plan_withdrawn")[0]
    assert (newest.target_id, newest.metadata["part"]) == ("oidc.ttl", "defaults")
