"""The dashboard, the record, keys, the pool and the deployment."""

import re
import time

import pytest
from probing import hole, probe
from serving import HMAC_KEY, SECRETS_KEY

from insula.tenancy.models import PLATFORMS


@pytest.mark.spec("features F20", "features D10", "features W01")
def test_the_dashboard_shows_what_needs_attention_and_what_was_done(product, browser, at, tenant):
    (key,) = product.rows(
        """update insula.signing_keys set due_at = now() - interval '2 hours'
            where tenant_id = %s and alg = 'ES256' returning kid""",
        product.tenant_id(tenant),
    )
    page = browser.open(at("/platform"))
    keys = browser.open(at("/platform/keys"))
    product.change(
        "update insula.signing_keys set due_at = null where tenant_id = %s and kid = %s",
        product.tenant_id(tenant), key.kid,
    )  # fmt: skip

    assert "Key rotation is overdue." in page.text
    assert "One key should have moved on an hour ago." in page.text
    assert "Overdue: is a worker running?" in keys.text
    assert tenant in keys.text
    assert "overdue" not in browser.open(at("/platform")).text
    assert "signed in as an administrator" in page.text
    (totals,) = product.rows("select n from insula.tenant_totals where status = 'active'")
    assert f"{totals.n:,} active" in page.text


@pytest.mark.spec("features BEY-2", "features D10")
def test_keys_that_wait_come_next_or_were_revoked_are_shown_across_tenants(
    product, browser, at, tenant
):
    product.change(
        """insert into insula.signing_keys (tenant_id, kid, alg, state, public_jwk, sealed, due_at,
                                            waiting_since, waits_for)
           values (%s, %s, 'ES256', 'next', '{}', '', now() + interval '10 minutes',
                   now() - interval '900 days', '{ledger,billing,desk,<b>odd</b>}')""",
        product.tenant_id(tenant), f"waits-{tenant}",
    )  # fmt: skip
    product.change(
        """insert into insula.signing_keys (tenant_id, kid, alg, state, public_jwk, sealed,
                                            revoked_at)
           values (%s, %s, 'EdDSA', 'revoked', '{}', '', now())""",
        product.tenant_id(tenant), f"lost-{tenant}",
    )  # fmt: skip
    pages = []

    def is_next():  # though a worker that other tests have left behind may plan it, or others, anew
        product.change(
            "update insula.signing_keys set due_at = now() + interval '2 hours'"
            " where due_at < now() + interval '1 hour' and tenant_id <> %s",
            product.tenant_id(tenant),
        )
        product.change(
            "update insula.signing_keys set due_at = now() + interval '40 seconds',"
            " planned_at = 'infinity' where tenant_id = %s and alg = 'RS256'",
            product.tenant_id(tenant),
        )
        pages.append(browser.open(at("/platform/keys")))
        return f"{tenant} RS256, a next key appears" in pages[-1].text

    for _ in range(40):
        if is_next():
            break
        time.sleep(0.5)
    else:
        pytest.fail(str(product.rows("select *, now() from insula.keys_coming(12)")))
    page = pages[-1]
    one = browser.open(at(f"/platform/tenants/{tenant}/keys"))
    assert "RS256" in browser.open(at(f"/platform/tenants/{PLATFORMS}/keys")).text
    product.change("delete from insula.signing_keys where kid in (%s, %s)",
                   f"waits-{tenant}", f"lost-{tenant}")  # fmt: skip
    after = browser.open(at("/platform/keys"))

    waiting, _, rest = page.text.partition("Next rotations")
    coming, _, revoked = rest.partition("Revoked at once")
    assert "Waiting for important applications" in waiting
    assert "for ledger , billing , desk and 1 more" in waiting.replace("  ", " ")
    assert f"{tenant} RS256, a next key appears" in coming
    assert f"{tenant} EdDSA" in revoked.partition("of ")[0]
    assert "Waits for ledger" in one.text
    assert "Waiting for important applications" not in after.text


@pytest.mark.spec("features F20")
def test_one_administrator_alone_is_a_warning(product, browser, at, runner):
    kept = product.rows(
        "update insula.users set status = 'disabled' where tenant_id = %s and id <> %s"
        " and status = 'active' returning id",
        product.tenant_id(PLATFORMS), runner.id,
    )  # fmt: skip
    alone = browser.open(at("/platform")).text
    product.change(
        "update insula.users set status = 'active' where id = any(%s)", [row.id for row in kept]
    )

    assert "Only one person can run the platform." in alone
    assert "Only one person can run the platform." not in browser.open(at("/platform")).text


@pytest.mark.spec("features W01", "features W03")
def test_the_record_is_searched_narrowed_and_masked(product, browser, at, tenant, runner):
    product.db.execute(
        "insert into insula.audit_events (tenant_id, event, status, actor_type, actor_id,"
        " target_type, target_id, metadata) values"
        " (%s, 'tenant.updated', 'warning', 'platform', %s, 'tenant', %s,"
        """ '{"said": "to ada.lovelace@acme.example"}')""",
        [product.tenant_id(PLATFORMS), str(runner.id), tenant],
    )
    found = browser.open(at(f"/platform/audit?q={tenant}&days=180&result=warning"))
    failed = browser.open(at(f"/platform/audit?q={tenant}&result=failed"))
    by_event = browser.open(at("/platform/audit?q=admin.logged"))
    odd = browser.get(at("/platform/audit?after=x%7Cy"))

    assert "Ada Lovelace changed tenant" in found.text
    assert "a•••@a•••.example" in found.text
    assert "ada.lovelace@" not in found.response.text
    assert "Nothing matches" in failed.text
    assert "admin.logged_in" in by_event.text
    assert "tenant.created" not in by_event.text
    assert odd.status_code == 400


@pytest.mark.spec("features CR-3")
def test_the_record_is_read_page_by_page(product, browser, at):
    product.db.execute(
        "insert into insula.audit_events (tenant_id, event, status, actor_type, target_id, at)"
        " select %s, 'paged.line', 'info', 'system', 'line-' || n, now()"
        " from generate_series(1, 70) n",
        [product.tenant_id(PLATFORMS)],
    )
    first = browser.open(at("/platform/audit?q=paged.line"))
    (older,) = [link for link in first.links if "after=" in link]
    second = browser.open(at(older))

    lines = [
        {f"line-{n}" for n in range(1, 71) if f"line-{n} " in page.text} for page in (first, second)
    ]
    assert [len(some) for some in lines] == [50, 20]
    assert not lines[0] & lines[1]


@pytest.mark.spec("features B05")
def test_the_pool_page_counts_what_the_process_did(product, browser, at):
    browser.get(product.url("acme", "/.well-known/openid-configuration"))
    page = browser.open(at("/platform/pool"))

    assert "requests since the start" in page.text
    assert re.search(r"(?<![\d,])0 requests since the start", page.text) is None


@pytest.mark.spec("features D10", "features CR-14")
def test_the_deployment_shows_what_is_in_force_and_no_secret(browser, at):
    page = browser.open(at("/platform/deployment"))

    assert "INSULA_BASE_DOMAIN localhost Environment" in page.text
    assert "INSULA_DATABASE_POOL_SIZE 10 Default" in page.text
    for secret in (
        SECRETS_KEY,
        HMAC_KEY,
        "insula_app:insula_app",
        "insula_platform:insula_platform",
    ):
        assert secret not in page.response.text


def test_every_page_is_a_page(browser, at):
    """The frame: one heading, a title that says the page, the violet scope, and who is there."""
    for path, title in (
        ("", "Dashboard"), ("/tenants", "Tenants"), ("/tenants/new", "Create tenant"),
        ("/tenants/acme", "Acme"), ("/keys", "Keys"), ("/pool", "Pool"),
        ("/deployment", "Deployment"), ("/audit", "Audit"),
    ):  # fmt: skip
        answer = browser.get(at(f"/platform{path}"))
        text = answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert text.count("<h1") == 1
        assert f"<title>{title}" in text
        assert 'data-scope="platform"' in text
        assert "style=" not in text
        assert "Platform administrator" in text
        assert "/branding/" not in text


@pytest.mark.spec("features BEY-1")
def test_the_page_of_isolation_says_whether_tenants_are_apart(product, browser, viewing, at):
    product.change("delete from insula.isolation_runs")
    assert "Not probed yet" in browser.open(at("/platform/isolation")).text
    probe(product)
    well = viewing.open(at("/platform/isolation"))
    with hole(product):
        probe(product)
    broken = browser.open(at("/platform/isolation"))
    probe(product)
    again = browser.open(at("/platform/isolation"))

    assert "Failed runs" not in well.text
    assert "Serving role, one trip" in well.text
    assert "HTTP Another tenant's host None" in well.text
    assert "rows can be seen from outside it" in broken.text
    assert "seen_once by app_once, other bound" in broken.text
    assert "rows can be seen from outside it" not in again.text
    assert "Failed runs" in again.text
