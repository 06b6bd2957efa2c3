"""One tenant, whatever the host; and its first administrator."""

import json
import re

import httpx2
import pytest
from browsing import Browser
from installations import FIRST_EMAIL, FIRST_PASSWORD
from people import Somebody
from raw_http import ask
from spine import until


@pytest.mark.parametrize(
    "raw",
    [b"localhost", b"acme.localhost", b"anything.example", b"10.0.0.7", b"", b"platform.localhost"],
)
def test_every_host_is_the_one_tenants(alone, raw):
    answer = ask(alone.server, "/.well-known/openid-configuration", raw)

    assert json.loads(answer.body)["issuer"] == f"http://localhost:{alone.server.port}"


def test_a_header_names_nobody_else(alone):
    answer = ask(
        alone.server, "/oauth2/jwks", b"localhost", headers=[("X-Tenant-Id", "_platforms")]
    )
    plain = ask(alone.server, "/oauth2/jwks", b"localhost")

    assert answer.body == plain.body


def test_what_is_no_host_is_refused_here_too(alone):
    assert ask(alone.server, "/oauth2/jwks", b"a b").status == 400


def test_the_ops_gateway_is_apart(alone):
    answer = httpx2.get(f"{alone.server.url}/ready", headers={"host": "ops.localhost"})

    assert answer.status_code == 200
    assert ask(alone.server, "/oauth2/jwks", b"ops.localhost").status == 404


@pytest.mark.spec("features D01")
@pytest.mark.parametrize("raw", [b"localhost", b"platform.localhost"])
def test_there_is_no_platform(alone, raw):
    assert ask(alone.server, "/platform", raw).status == 404
    assert ask(alone.server, "/platform/tenants", raw).status == 404


def test_the_first_administrator_signs_in_once_with_the_first_password(alone):
    rows = alone.rows(
        "select u.username, u.must_change_password from insula.users u"
        " join insula.tenants t on t.id = u.tenant_id and t.slug = 'default'"
    )
    assert [(r.username, r.must_change_password) for r in rows] == [("admin", True)]
    first = Somebody(None, "admin", FIRST_EMAIL, FIRST_PASSWORD)
    chosen = "seventeen quiet owls"
    home = f"http://any.localhost:{alone.server.port}/"

    with Browser() as browser:
        page = browser.sign_in(browser.open(home), first)
        assert page.path == "/sign-in/new-password"
        page = browser.submit(page, **dict.fromkeys(("new_password", "repeat"), chosen))
        assert page.path == "/"
        assert "admin" in page.text

    with Browser() as browser:
        page = browser.sign_in(browser.open(home), first)
        assert page.status == 422
        page = browser.sign_in(page, first, chosen)
        assert page.path == "/"


def test_both_processes_warn_and_none_tells_the_password(alone):
    until(10, lambda: alone.log.count("still set") == 2)  # once for each process

    assert FIRST_PASSWORD not in alone.log
    assert len(re.findall("bootstrap.administrator_made", alone.log)) == 1


@pytest.mark.spec("features CR-9")
def test_jobs_are_done_by_the_processes_that_serve_where_that_is_wished(alone):
    (tenant,) = alone.rows("select id from insula.tenants where slug = 'default'")
    with alone.db.transaction():
        alone.db.execute("set local search_path = insula_jobs")
        (job,) = alone.rows(
            "insert into procrastinate_jobs (queue_name, task_name, args)"
            " values ('default', 'keys.advance_phases', jsonb_build_object('tenant_id', %s::text))"
            " returning id",
            tenant.id,
        )

    def left():
        return alone.rows("select from insula_jobs.procrastinate_jobs where id = %s", job.id)

    until(20, lambda: not left())  # what succeeds is not kept
