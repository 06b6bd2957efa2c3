"""The dashboard, the record, keys, the pool and the deployment."""

import csv
import io
import json
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from probing import hole, probe
from psycopg import sql
from serving import HMAC_KEY, SECRETS_KEY

from insula.deletion import service as deletion
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


@pytest.mark.spec("features D10", "features D03")
def test_the_dashboard_counts_every_tenant_by_its_status(product, browser, at, tenant):
    product.backstage.run(lambda here: deletion.schedule(here.platform, tenant))
    text = browser.open(at("/platform")).text

    of_all, parts = re.search(r"Tenants ([\d,]+) ([\d,]+ active [^A-Z]*? deleting)", text).groups()
    assert re.fullmatch(r"\d+ active · \d+ suspended · \d+ archived · [1-9]\d* deleting", parts)
    assert sum(map(int, re.findall(r"\d+", parts))) == int(of_all)


@pytest.mark.spec("features D10")
def test_the_bounds_of_a_section_keep_the_capitals_of_its_name(browser, at):
    api = browser.open(at("/platform/bounds/features.developer_api"))
    features = browser.open(at("/platform/bounds/oidc.features"))

    assert "Bounds of management API" in api.text
    assert "Bounds of protocol features" in features.text


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


@pytest.fixture
def line(product):
    """Write a line of the platform's record."""

    def line(**facts):
        given = {
            "tenant_id": product.tenant_id(PLATFORMS), "status": "info", "actor_type": "system",
            **facts,
        }  # fmt: skip
        product.db.execute(
            sql.SQL("insert into insula.audit_events ({}) values ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, given)),
                sql.SQL(", ").join(map(sql.Placeholder, given)),
            ),
            given,
        )

    return line


@pytest.mark.spec("features W01", "features UI-2")
def test_the_record_is_narrowed_by_everything_that_the_api_knows(browser, at, line, runner):
    word = secrets.token_hex(6)
    today = datetime.now(UTC).date()
    facts = {
        "event": f"{word}.done", "status": "warning", "actor_type": "platform",
        "actor_id": str(runner.id), "target_type": f"kind-{word}", "target_id": f"id-{word}",
        "ip": "2001:db8::7", "request_id": f"r-{word}",
    }  # fmt: skip
    line(**facts)
    line(event=f"{word}.other", target_id="the other")
    asked = {
        **facts, "user_id": str(runner.id), "since": str(today - timedelta(days=1)),
        "until": str(today + timedelta(days=1)),
    }  # fmt: skip

    def found(**query):
        page = browser.open(at(f"/platform/audit?{urlencode(query)}"))
        assert page.status == 200
        shown = re.findall(r'class="log-event [^>]*>([^<]+)', page.response.text)
        return {event.partition(".")[2] for event in shown if event.startswith(word)}

    assert found(event=f"{word}.") == {"done", "other"}
    for name, value in asked.items():
        alone = {"done", "other"} if name in ("since", "until") else {"done"}
        assert found(**{"q": word, name: value}) == alone, name
    assert found(**asked) == {"done"}
    for name in asked.keys() - {"event"}:
        other = {"since": asked["until"], "until": "2020-01-01", "ip": "203.0.113.9"}
        differently = {"status": "failed", "actor_type": "client", **other}.get(name, "another")
        assert found(**{**asked, name: differently}) == set(), name
    for text in (f"id-{word}", f"r-{word}"):
        assert found(q=text) == {"done"}
    for text in (runner.username, runner.email, "2001:db8::7"):
        assert found(q=text, event=f"{word}.") == {"done"}
    for name in ("actor_id", "user_id"):
        assert found(**{name: runner.email, "event": f"{word}."}) == {"done"}
        assert found(**{name: "nobody-there", "event": f"{word}."}) == set()

    page = browser.open(at(f"/platform/audit?{urlencode(asked)}"))
    without = [link for link in page.links if link.startswith("/platform/audit?")]
    kept = [dict(parse_qsl(urlsplit(link).query)) for link in without]
    assert {**asked} not in kept
    assert [asked.keys() - each.keys() for each in kept].count({"since", "until"}) == 1
    for name in ("ip", "request_id", "event", "status"):
        assert {k: v for k, v in asked.items() if k != name} in kept
    (form,) = [form for form in page.forms if form.action == "/platform/audit"]
    assert {**asked, **form.values} == {**asked, "q": ""}
    typed = {**asked, "q": "", "ip": ""}  # what a browser sends, once the address is emptied
    sent = browser.open(at(f"/platform/audit?{urlencode(typed)}"))
    assert {
        **dict(parse_qsl(urlsplit(sent.url).query, keep_blank_values=True)),
        "ip": asked["ip"],
    } == asked


@pytest.mark.spec("features W01")
@pytest.mark.parametrize(
    ("name", "value"),
    [("ip", "nowhere"), ("since", "30.11.2026"), ("until", "2026-02-30"), ("status", "perhaps"),
     ("actor_type", "robot"), ("since", "2026-11-30T10:00:00")],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_refused_and_kept_as_typed(browser, at, name, value):
    page = browser.open(at(f"/platform/audit?event=admin.&{name}={value}"))

    assert page.status == 422
    assert page.text.startswith("Error: Audit")
    assert "Nothing was looked up" in page.text
    assert "admin.logged_in" not in page.text
    (form,) = [form for form in page.forms if form.action == "/platform/audit"]
    assert form.values["event"] == "admin."
    for kind in ("csv", "json"):
        refused = browser.get(at(f"/platform/audit.{kind}?{name}={value}"))
        assert refused.status_code == 422


@pytest.mark.spec("features W01", "features L03", "features CR-9", "security row 111")
def test_the_record_of_a_filter_is_taken_away_as_a_file(product, browser, viewing, at, line):
    word = secrets.token_hex(6)
    product.db.execute(
        "insert into insula.audit_events (tenant_id, event, status, actor_type, target_id, at)"
        " select %s, %s, 'info', 'system', 'line-' || n, now() - n * interval '1 ms'"
        " from generate_series(1, 1049) n",
        [product.tenant_id(PLATFORMS), f"{word}.many"],
    )
    line(event=f"{word}.many", target_id="=1+1", user_agent="@x", ip="203.0.113.9",
         metadata='{"said": ["to ada.lovelace@acme.example"], "deep": {"n": 1}}')  # fmt: skip
    line(event=f"{word}.another")
    query = f"event={word}.many&actor_type=system"
    page = browser.open(at(f"/platform/audit?{query}"))
    assert {f"/platform/audit.{kind}?{query}" for kind in ("csv", "json")} <= set(page.links)

    text = browser.get(at(f"/platform/audit.csv?{query}"))
    told = viewing.get(at(f"/platform/audit.json?{query}"))
    none = browser.get(at(f"/platform/audit.json?event={word}.none"))

    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert told.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(text.text)))
    lines = told.json()
    assert [row["id"] for row in rows] == [each["id"] for each in lines]
    assert {row["target_id"] for row in rows} == {"'=1+1", *(f"line-{n}" for n in range(1, 1050))}
    assert [each["at"] for each in lines] == sorted((each["at"] for each in lines), reverse=True)
    (odd,) = [each for each in lines if each["target_id"] == "=1+1"]
    assert odd["metadata"] == {"said": ["to a•••@a•••.example"], "deep": {"n": 1}}
    assert (odd["actor"], odd["ip"]) == ({"type": "system", "id": None}, "203.0.113.9")
    assert (rows[0]["user_agent"], json.loads(rows[0]["metadata"])) == ("'@x", odd["metadata"])
    assert none.json() == []
    exports = product.audit(PLATFORMS, "data.exported", target_type="audit")[2::-1]
    many = {"event": f"{word}.many", "actor_type": "system"}
    assert [(row.metadata["format"], row.metadata["filter"]) for row in exports] == [
        ("csv", many), ("json", many), ("json", {"event": f"{word}.none"}),
    ]  # fmt: skip
    assert {row.actor_type for row in exports} == {"platform"}
    assert "took away the record" in browser.open(at("/platform/audit?event=data.exported")).text


@pytest.mark.spec("features CR-9")
def test_a_line_behind_ten_thousand_others_is_found_by_looking_further_back(
    product, browser, at, line
):
    word = secrets.token_hex(6)
    line(event=f"{word}.rare", at=datetime.now(UTC) - timedelta(minutes=2))
    product.db.execute(
        "insert into insula.audit_events (tenant_id, event, status, actor_type, at)"
        " select %s, 'filling.line', 'info', 'system', now() - interval '1 minute'"
        " from generate_series(1, 10050)",
        [product.tenant_id(PLATFORMS)],
    )
    first = browser.open(at(f"/platform/audit?event={word}.rare"))
    (further,) = [link for link in first.links if "after=" in link]
    second = browser.open(at(further))
    product.change("delete from insula.audit_events where event = 'filling.line'")

    assert "Nothing matches so far" in first.text
    assert f"{word}.rare" in second.text.partition("Request")[2]


@pytest.mark.spec("features W01", "features W03")
def test_the_record_is_searched_narrowed_and_masked(product, browser, at, tenant, runner):
    product.db.execute(
        "insert into insula.audit_events (tenant_id, event, status, actor_type, actor_id,"
        " target_type, target_id, metadata) values"
        " (%s, 'tenant.updated', 'warning', 'platform', %s, 'tenant', %s,"
        """ '{"said": "to ada.lovelace@acme.example"}')""",
        [product.tenant_id(PLATFORMS), str(runner.id), tenant],
    )
    found = browser.open(at(f"/platform/audit?q={tenant}&status=warning"))
    failed = browser.open(at(f"/platform/audit?q={tenant}&status=failed"))
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
    assert "INSULA_SECRETS_KEY ••••••••" in page.text
    assert "insula config --json" in page.text  # as a command, since the API does not tell it
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
