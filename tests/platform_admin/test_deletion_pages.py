"""A tenant's end on pages: asked for, taken back, purged, and certified when it is gone."""

import jwt
import pytest
from pressing import submit
from purging import purge_now


@pytest.fixture
def open_page(browser, at, tenant):
    return lambda path: browser.open(at(f"/platform/tenants/{tenant}{path}"))


@pytest.fixture
def delete(browser, open_page, tenant):
    """Ask for the tenant's deletion."""
    return lambda **typed: submit(
        browser, open_page("/delete"), "/delete",
        **{"typed": tenant, "reason": "The contract has ended", **typed},
    )  # fmt: skip


@pytest.mark.spec("features D12", "features UI-5")
def test_a_deletion_is_confirmed_in_full_or_nothing_happens(product, browser, open_page, tenant):
    product.person(tenant)
    asked = open_page("/delete")
    assert "1 person is deleted" in asked.text
    assert "For 30 days this can be undone" in asked.text
    for typed, said in (
        ({"typed": "another", "reason": "Left us"}, f"Type {tenant} to confirm."),
        ({"typed": tenant, "reason": " "}, "Say why"),
        ({"typed": tenant, "reason": "x" * 501}, "At most 500 characters."),
    ):
        refused = submit(browser, asked, "/delete", **typed)
        assert refused.status == 422
        assert said in refused.text
    (row,) = product.rows("select status from insula.tenants where slug = %s", tenant)
    assert row.status == "active"
    assert "Nobody is deleting it" in open_page("/deletion").text


@pytest.mark.spec("features D12", "features BEY-6")
def test_a_deletion_is_undone_within_its_grace(product, browser, open_page, delete, runner, tenant):
    asked = open_page("/delete")
    done = delete()
    assert done.path == f"/platform/tenants/{tenant}/deletion"
    assert "That is in 30 days" in done.text
    assert "The contract has ended" in done.text
    assert "Asked for by Ada Lovelace" in done.text
    assert browser.get(product.url(tenant, "/sign-in")).status_code in (403, 404, 410)
    assert "This tenant is being deleted" in open_page("").text

    twice = submit(browser, asked, "/delete", typed=tenant, reason="Again")
    assert twice.status == 409
    assert "is being deleted already" in twice.text

    undoing = open_page("/undo-delete")
    undone = submit(browser, undoing, "/undo-delete")
    assert "The deletion is taken back." in undone.text
    assert browser.get(product.url(tenant, "/sign-in")).status_code == 303
    (line,) = product.audit(tenant, "tenant.deletion_undone")
    assert line.actor_id == str(runner.id)
    assert open_page("/undo-delete").path.endswith("/deletion")
    assert submit(browser, undoing, "/undo-delete").status == 404


@pytest.mark.spec("features BEY-6")
def test_a_purge_held_before_it_began_says_so_and_can_be_undone_or_resumed(
    product, browser, open_page, delete, tenant
):
    delete()
    product.change("update insula.deletions set paused_at = now() where slug = %s", tenant)
    held = open_page("/deletion")
    assert "The purge does not begin by itself" in held.text
    assert "Progress" not in held.text
    assert purge_now(product, tenant) is False
    product.change(
        "update insula.deletions set due_at = now() + interval '9 days' where slug = %s", tenant
    )
    resumed = submit(browser, held, "/deletion/resume")
    assert "The purge begins on" in resumed.text
    product.change("update insula.deletions set paused_at = now() where slug = %s", tenant)
    undone = submit(browser, open_page("/undo-delete"), "/undo-delete")
    assert "The deletion is taken back." in undone.text


@pytest.mark.spec("features BEY-6")
def test_a_purge_is_followed_held_and_its_certificate_outlives_the_tenant(
    product, browser, at, open_page, delete, tenant
):
    product.person(tenant)
    delete()
    undoing = open_page("/undo-delete")
    product.change(
        "update insula.deletions set started_at = now(), estimate = %s, deleted = %s"
        " where slug = %s", '{"users": 40}', '{"users": 10}', tenant,
    )  # fmt: skip
    late = submit(browser, undoing, "/undo-delete")
    assert late.status == 409
    assert "The purge has begun" in late.text
    running = open_page("/deletion")
    assert "10 of about 40 rows" in running.text
    paused = submit(browser, running, "/deletion/pause")
    assert "The purge rests" in paused.text
    assert purge_now(product, tenant) is False
    resumed = submit(browser, paused, "/deletion/resume")
    assert "The purge goes on." in resumed.text

    assert purge_now(product, tenant) is True
    gone = open_page("/deletion")
    assert "it deleted the tenant" in gone.text
    assert "The key of its secrets is destroyed" in gone.text
    answer = browser.get(at(f"/platform/tenants/{tenant}/deletion.jwt"))
    assert answer.headers["content-type"] == "application/jwt"
    claims = jwt.decode(answer.text, options={"verify_signature": False})
    assert claims["slug"] == tenant
    assert claims["jti"] in gone.text
    assert browser.get(at(f"/platform/tenants/{tenant}")).status_code == 404
    assert f"/platform/tenants/{tenant}/deletion" in browser.open(at("/platform/deletions")).links


@pytest.mark.spec("features CR-3")
def test_deletions_are_read_page_by_page(product, browser, at):
    """They are asked for tomorrow, so as to stand before whatever else the run has deleted."""
    product.change(
        """
        insert into insula.deletions
          (subject, slug, display_name, status_before, reason, requested_by, requested_at, due_at,
           undone_at)
        select gen_random_uuid(), 'gone-' || n, 'Gone', 'active', '', '{"type": "system"}',
               now() + make_interval(days => n), now(), now()
          from generate_series(1, 30) n
        """
    )
    first = browser.open(at("/platform/deletions"))
    (older,) = [link for link in first.links if "before=" in link]
    second = browser.open(at(older))
    odd = browser.get(at("/platform/deletions?before=nonsense"))

    pages = [{link for link in page.links if "/gone-" in link} for page in (first, second)]
    assert not pages[0] & pages[1]
    assert len(pages[0] | pages[1]) == 30
    assert odd.status_code == 400
