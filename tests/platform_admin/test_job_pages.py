"""The queue on pages: what was given up is found, looked at, tried again or forgotten."""

import secrets

import pytest
from pressing import submit

from insula.tenancy.models import PLATFORMS


@pytest.fixture
def failed(product, tenant):
    """Queue a job that was given up; its number."""

    def failed(task="tests.page", error="Unavailable: the host does not answer"):
        (job,) = product.rows(
            "insert into insula_jobs.procrastinate_jobs"
            " (queue_name, task_name, status, attempts, args) values ('tests', %s, 'failed', 3,"
            " jsonb_build_object('tenant_id', %s::text, 'subject', 's-1')) returning id",
            task, str(product.tenant_id(tenant)),
        )  # fmt: skip
        product.change(
            "insert into insula_jobs.job_errors (job_id, attempt, error) values (%s, 3, %s)",
            job.id, error,
        )  # fmt: skip
        return job.id

    yield failed
    product.db.execute("set search_path = insula_jobs, pg_catalog")  # as its triggers want it
    product.db.execute("delete from procrastinate_jobs where queue_name = 'tests'")
    product.db.execute("reset search_path")


@pytest.mark.spec("features W02", "features F20")
def test_what_was_given_up_is_a_warning_says_why_and_is_tried_again(
    product, browser, at, failed, tenant, runner
):
    job = failed()
    dashboard = browser.open(at("/platform"))
    assert "given up." in dashboard.text
    assert "/platform/jobs?status=failed" in dashboard.links
    listed = browser.open(at("/platform/jobs?status=failed"))
    assert "Unavailable: the host does not answer" in listed.text
    page = browser.open(at(f"/platform/jobs/{job}"))
    assert "3 tries" in page.text
    assert tenant in page.text
    assert "s-1" in page.text

    again = submit(browser, page, "/retry")
    assert "The job waits for a worker again." in again.text
    late = submit(browser, page, "/retry")
    assert late.status == 409
    assert "This job was not given up: it is todo." in late.text
    (line,) = product.audit(PLATFORMS, "maintenance.run", target_id=str(job))
    assert (line.actor_id, line.metadata["act"]) == (str(runner.id), "retried")


@pytest.mark.spec("features W02")
def test_a_job_is_forgotten_after_a_confirmation(product, browser, at, failed):
    job = failed()
    asked = browser.open(at(f"/platform/jobs/{job}/forget"))
    assert "is then never done" in asked.text
    done = submit(browser, asked, "/forget")
    assert "The job is forgotten." in done.text
    assert browser.get(at(f"/platform/jobs/{job}")).status_code == 404
    assert submit(browser, asked, "/forget").status == 404
    (line,) = product.audit(PLATFORMS, "maintenance.run", target_id=str(job))
    assert line.metadata["act"] == "discarded"


@pytest.mark.spec("features W02", "features UI-2", "features CR-3")
def test_jobs_are_narrowed_by_tenant_and_cause_and_paged_by_key(browser, at, failed, tenant):
    word = secrets.token_hex(6)
    jobs = [failed(error=f"Unavailable: {word}") for _ in range(27)]
    other = failed(task=f"tests.{word[:5]}x", error="Invalid: odd")

    def numbers(page):
        return [int(link.rpartition("/")[2]) for link in page.links
                if link.startswith("/platform/jobs/")]  # fmt: skip

    first = browser.open(at(f"/platform/jobs?q={word.upper()}&tenant={tenant}"))
    (older,) = [link for link in first.links if "before=" in link]
    assert numbers(first) + numbers(browser.open(at(older))) == jobs[::-1]
    assert numbers(browser.open(at(f"/platform/jobs?q={word[:5]}x"))) == [other]
    assert "Nothing matches" in browser.open(at("/platform/jobs?tenant=no-such-tenant")).text
    for odd in ("status=odd", "before=odd"):
        assert browser.get(at(f"/platform/jobs?{odd}")).status_code in (400, 422)
