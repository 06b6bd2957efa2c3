"""A client that is paused, and what is told of its use: over HTTP."""

from datetime import UTC, datetime

import pytest
from callers import refusal
from houses import Contents
from spine import Api, until


@pytest.mark.spec("features H02")
def test_a_client_is_paused_on_every_process_and_its_tokens_go_on(programs, own):
    caller, machine = programs.make(own), programs.make(own, ["keys:read"])
    contents = Contents(programs, own)
    found = caller.get(f"/clients?q={machine.client_id}").json()["data"]
    where = f"/clients/{found[0]['id']}"
    app = type("App", (), {"client_id": machine.client_id, "secret": machine.secret})
    program, web = (Api(programs.product, own, each) for each in (app, contents.app))

    paused = caller.post(f"{where}/deactivate", {"mode": "new_flows"})
    caller.post(f"/clients/{contents.app.id}/deactivate", {"mode": "new_flows"})

    assert paused.json()["status"] == "paused"
    assert caller.get(where).json()["status"] == "paused"
    shown = {each: caller.get(f"/clients?q={machine.client_id}&status={each}").json()["data"]
             for each in ("paused", "active")}  # fmt: skip
    assert (len(shown["paused"]), shown["active"]) == (1, [])
    until(1, lambda: program.own_token().json().get("error") == "unauthorized_client")
    assert machine.get("/keys").status_code == 200  # its token lives
    assert web.userinfo(contents.tokens["access_token"]).status_code == 200
    assert web.is_active(contents.tokens["access_token"])
    (line,) = programs.product.audit(own, "client.deactivated", target_id=machine.client_id)
    assert (line.metadata["mode"], line.actor_id) == ("new_flows", caller.client_id)
    changed = caller.patch(where, {"name": "Still paused"})
    assert changed.json()["status"] == "paused"
    refusal(caller.post(f"{where}/deactivate", {"mode": "sleep"}), 422, "validation_failed")

    assert caller.post(f"{where}/activate").json()["status"] == "active"
    until(1, lambda: program.own_token().status_code == 200)


@pytest.mark.spec("features H04")
def test_what_a_client_was_given_and_refused_is_told(programs, own, theirs):
    caller, contents = programs.make(own), Contents(programs, own)
    where = f"/clients/{contents.app.id}/stats"
    api = Api(programs.product, own, contents.app)
    before = caller.get(where).json()
    assert api.redeem("not-a-code").status_code == 400
    assert api.redeem("not-a-code").status_code == 400
    wrong = type("App", (), {"client_id": contents.app.client_id, "secret": "wrong"})
    assert Api(programs.product, own, wrong).redeem("x").status_code == 401

    said = caller.get(where).json()

    today = datetime.now(UTC).date().isoformat()
    given = {"day": today, "grant_type": "authorization_code", "n": 1}
    assert before["issued"] == said["issued"] == [given]
    assert before["refused"] == []
    assert said["refused"] == [
        {"error": "invalid_grant", "n": 2},
        {"error": "invalid_client", "n": 1},
    ]
    assert said["active_grants"] == said["unique_users"] == {"value": 1, "exact": True}
    assert said["last_activity"] >= before["last_activity"] >= today
    refusal(theirs.get(where), 404, "not_found")
    fresh = caller.post("/clients", {"name": "Unused", "redirect_uris": ["https://a.example/cb"]})
    unused = caller.get(f"/clients/{fresh.json()['id']}/stats").json()
    assert (unused["issued"], unused["refused"], unused["last_activity"]) == ([], [], None)


@pytest.mark.spec("features F02")
def test_sign_ins_are_told_by_day_and_a_figure_that_fails_fails_alone(programs, own, platform):
    product, caller = programs.product, programs.make(own)
    before = caller.get("/stats").json()["sign_ins"]["data"]
    of_all = platform.get("/platform/stats").json()["sign_ins"]["data"][-1]["n"]

    Contents(programs, own)
    after = caller.get("/stats").json()
    whole = platform.get("/platform/stats").json()

    assert len(after["sign_ins"]["data"]) == 30
    assert after["sign_ins"]["data"][-1]["n"] == before[-1]["n"] + 1
    assert whole["sign_ins"]["data"][-1]["n"] >= of_all + 1
    assert len(whole["tenants_made"]["data"]) == 12
    assert whole["tenants_made"]["data"][-1]["n"] >= 2
    assert whole["pool"]["data"][-1]["bad"] >= 1
    product.change("alter table insula.tenant_days rename to elsewhere")
    try:
        broken = caller.get("/stats").json()
    finally:
        product.change("alter table insula.elsewhere rename to tenant_days")
    assert broken["sign_ins"] == {
        "data": [],
        "error": "This figure is not available at the moment.",
    }
    assert broken["users"]["value"] == after["users"]["value"]
    product.change("alter table insula.tenant_totals rename to elsewhere")
    try:
        broken = platform.get("/platform/stats").json()
    finally:
        product.change("alter table insula.elsewhere rename to tenant_totals")
    for status in ("active", "suspended", "archived", "deleting"):
        assert broken[status] == {
            "value": None, "exact": None, "error": "This figure is not available at the moment.",
        }  # fmt: skip
    assert broken["sign_ins"] == whole["sign_ins"]
