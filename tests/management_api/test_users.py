"""People over the API: found, changed, locked, given roles, and never the last of them shut out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from callers import name, refusal
from houses import Contents

from insula.accounts import service as accounts


@pytest.fixture
def manager(programs, own):
    return programs.make(own)


def make(caller, **facts):
    answer = caller.post("/users", {"email": f"{name()}@people.example", **facts})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.spec("features G02", "features G03", "features G15")
def test_a_person_is_made_without_a_password_and_read_again(manager, programs):
    made = manager.post(
        "/users",
        {
            "email": "Grace.Hopper+x@people.example", "name": "Grace Hopper", "nickname": "Amazing",
            "phone_number": "+442071234567", "locale": "en-GB", "attributes": {"rank": "admiral"},
        },
    )  # fmt: skip

    assert made.status_code == 201
    user = made.json()
    assert user["username"] == "Grace.Hopper-x"
    assert user["roles"] == ["user"]
    assert user["email_verified"] is user["has_password"] is False
    assert user["attributes"] == {"nickname": "Amazing", "rank": "admiral"}
    assert user.pop("activation")["activation_url"]
    read = manager.get(made.headers["location"].removeprefix("/api/v1"))
    assert read.json() == user
    assert read.headers["etag"] == made.headers["etag"]
    (line,) = programs.product.audit("ours", "user.created", target_id=user["id"])
    assert (line.actor_type, line.actor_id) == ("client", manager.client_id)
    again = manager.post("/users", {"email": "grace.hopper+X@people.example", "username": name()})
    refusal(again, 409, "name_taken")


@pytest.mark.spec("features G04", "security 98")
def test_fields_that_are_nobodys_to_write_are_refused(manager):
    user = make(manager)
    for field, value in (
        ("password", "x"), ("password_hash", "x"), ("email_verified", True), ("roles", ["admin"]),
        ("id", user["id"]), ("tenant_id", user["id"]), ("created_at", user["created_at"]),
        ("status", "active"), ("locked_until", None), ("sub", "x"),
    ):  # fmt: skip
        refused = manager.patch(f"/users/{user['id']}", {field: value})
        refusal(refused, 422, "validation_failed")
    for field in ("enabled", "email", "email_verified", "username", "password", "sub"):
        refused = manager.patch(f"/users/{user['id']}", {"attributes": {field: "x"}})
        refusal(refused, 422, "validation_failed")
    assert manager.get(f"/users/{user['id']}").json().items() <= user.items()


@pytest.mark.spec("features G04", "features G10", "features CR-7")
def test_a_change_counts_at_once(manager, programs, own):
    contents = Contents(programs, own)
    where = f"/users/{contents.person.id}"
    before = manager.get(where)
    change = {"email": f"{name()}@people.example", "nickname": "Ada", "given_name": None}

    changed = manager.patch(where, change, headers={"if-match": before.headers["etag"]})

    assert changed.json()["email"] == change["email"]
    assert changed.json()["email_verified"] is False
    refusal(
        manager.patch(where, change, headers={"if-match": before.headers["etag"]}),
        412,
        "version_conflict",
    )
    assert alive(programs, contents)
    assert manager.patch(where, {"enabled": False}).json()["enabled"] is False
    assert not alive(programs, contents)
    assert manager.patch(where, {"enabled": True}).json()["enabled"] is True
    assert not alive(programs, contents)
    events = [line["event"] for line in manager.get(f"{where}/events").json()["data"]]
    assert events[:2] == ["user.enabled", "user.disabled"]
    assert set(events[2:4]) == {"user.email_changed", "user.updated"}  # of one moment


def alive(programs, contents):
    """Whether what the person's application got still opens anything."""
    answer = programs.product.shared.get(
        programs.product.url(contents.slug, "/oauth2/userinfo"),
        headers={"authorization": f"Bearer {contents.tokens['access_token']}"},
    )
    return answer.status_code == 200


@pytest.mark.spec("features G05")
def test_a_lock_and_a_disabled_account_are_two_things(manager, programs, own):
    contents = Contents(programs, own)
    where = f"/users/{contents.person.id}"
    refusal(
        manager.post(f"{where}/lock", {"until": "2020-01-01T00:00:00Z"}), 422, "validation_failed"
    )

    locked = manager.post(f"{where}/lock", {"reason": "lost laptop"}).json()

    assert (locked["locked"], locked["locked_until"], locked["enabled"]) == (True, None, True)
    assert not alive(programs, contents)
    manager.patch(where, {"enabled": False})
    unlocked = manager.delete(f"{where}/lock").json()
    assert (unlocked["locked"], unlocked["enabled"]) == (False, False)
    soon = manager.post(f"{where}/lock", {"until": "2998-01-01T00:00:00+01:00"}).json()
    assert soon["locked_until"] == "2997-12-31T23:00:00Z"
    assert manager.patch(where, {"enabled": True}).json()["locked"] is True
    (line, *_) = programs.product.audit("ours", "user.locked", target_id=str(contents.person.id))
    assert line.metadata["until"].startswith("2998")


@pytest.mark.spec("features G05")
def test_neither_flag_takes_the_other_away(manager, programs, own):
    user = str(programs.product.person(own).id)
    where = f"/users/{user}"
    manager.post(f"{where}/lock", {})
    for enabled in (False, True):
        kept = manager.patch(where, {"enabled": enabled}).json()
        assert (kept["enabled"], kept["locked"], kept["locked_until"]) == (enabled, True, None)
    for change in ("disable", "enable"):
        manager.post("/users/bulk-status", {"ids": [user], "action": change})
        kept = manager.get(where).json()
        assert (kept["enabled"], kept["locked"]) == (change == "enable", True)

    manager.patch(where, {"enabled": False})
    for span in (None, timedelta(minutes=1)):  # as an operator does
        programs.product.in_transaction(own, lambda db, span=span: accounts.lock(db, user, span))
        kept = manager.get(where).json()
        assert (kept["enabled"], kept["locked"], kept["locked_until"]) == (False, True, None)
    left = manager.delete(f"{where}/lock").json()
    assert (left["enabled"], left["locked"]) == (False, False)


@pytest.mark.spec("features G05")
def test_a_lock_until_a_date_that_cannot_be_read_hides_nobody(manager, programs, own):
    user = str(programs.product.person(own).id)
    programs.product.change(
        "update insula.users set locked_until = '11533-01-01' where id = %s", user
    )
    assert user in {each["id"] for each in manager.get("/users").json()["data"]}
    kept = manager.get(f"/users/{user}").json()
    assert (kept["locked"], kept["locked_until"]) == (True, None)
    assert manager.delete(f"/users/{user}/lock").json()["locked"] is False


@pytest.mark.spec("features G01")
def test_people_are_searched_and_filtered(manager, programs, slugs):
    word = name()
    for n, facts in enumerate(({}, {"enabled": False}, {"role": "auditor"})):
        make(manager, username=f"{word}.{n}", name=f"Some {word.upper()}", **facts)
    programs.make(slugs[1]).post("/users", {"email": f"{word}@x.example"})

    def found(query):
        page = manager.get(f"/users?{query}&q={word.upper()}")
        assert page.status_code == 200, page.text
        return [user["username"].removeprefix(f"{word}.") for user in page.json()["data"]]

    assert found("limit=5") == ["0", "1", "2"]
    assert found("sort=-username") == ["2", "1", "0"]
    assert found("enabled=false") == ["1"]
    assert found("role=auditor") == ["2"]
    assert found("locked=true") == found("email_verified=true") == []
    counted = manager.get(f"/users?q={word}&include_count=true&limit=1").json()
    assert counted["count"] == {"value": 3, "exact": True}
    second = manager.get(f"/users?q={word}&limit=1&after={counted['next']}").json()
    assert second["data"][0]["username"] == f"{word}.1"
    assert manager.get("/users?q=%25_").json()["data"] == []


@pytest.mark.spec("features G06", "features CR-6", "features G11")
def test_roles_are_given_by_who_may_and_their_loss_ends_access(programs, own):
    caller, plain = programs.make(own), programs.make(own, ["users:write"], dangerous=False)
    admin = programs.for_person(own, ("admin",), ["users:write", "users:read"])
    contents = Contents(programs, own)
    where = f"/users/{contents.person.id}"
    refusal(plain.put(f"{where}/roles/admin"), 401, "step_up_required")
    refusal(
        plain.post("/users", {"email": "x@x.example", "role": "admin"}), 401, "step_up_required"
    )
    refusal(admin.put(f"{where}/roles/superadmin"), 403, "forbidden")
    refusal(caller.put(f"{where}/roles/platform_admin"), 422, "validation_failed")
    refusal(caller.put(f"{where}/roles/king"), 404, "not_found")

    given = caller.put(f"{where}/roles/auditor")

    assert given.json()["roles"] == ["auditor", "user"]
    assert given.headers["etag"] == caller.get(where).headers["etag"]
    assert alive(programs, contents)
    assert admin.delete(f"{where}/roles/auditor").json()["roles"] == ["user"]
    assert not alive(programs, contents)
    assert caller.post(f"{where}/password-reset", {"mode": "force_next"}).status_code == 204
    assert caller.get(where).json()["must_change_password"] is True
    refusal(caller.post(f"{where}/password-reset", {"mode": "tell"}), 422, "validation_failed")


@pytest.mark.spec("features CR-8", "features G13")
def test_nobody_shuts_out_themselves_or_the_last_administrator(programs):
    slug = name()
    programs.product.tenant(slug)
    program = programs.make(slug)
    scopes = ["users:read", "users:write", "sessions:delete"]
    ada = programs.for_person(slug, ("admin",), scopes)
    bea = programs.for_person(slug, ("admin",), scopes)
    me, other = f"/users/{ada.person.id}", f"/users/{bea.person.id}"
    for method, path, body in (
        ("PATCH", me, {"enabled": False}), ("POST", f"{me}/lock", {}),
        ("DELETE", f"{me}/roles/admin", None), ("POST", f"{me}/revoke-tokens", None),
        ("DELETE", f"{me}/sessions", None), ("DELETE", f"/sessions?user_id={ada.person.id}", None),
    ):  # fmt: skip
        more = {} if body is None else {"json": body}
        refusal(ada.call(method, path, **more), 409, "self_lockout")

    # both administrators demote each other at once: one stays
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ada.delete, f"{other}/roles/admin")
        second = pool.submit(bea.delete, f"{me}/roles/admin")
    codes = sorted(answer.result().status_code for answer in (first, second))
    left = programs.product.rows(
        "select user_id from insula.user_roles r join insula.tenants t on t.id = r.tenant_id"
        " where t.slug = %s and role = 'admin'",
        slug,
    )
    assert len(left) == 1
    assert codes[0] == 200
    assert codes[1] in {401, 403, 409}
    last = f"/users/{left[0].user_id}"
    for method, path, body in (
        ("PATCH", last, {"enabled": False}), ("POST", f"{last}/lock", {}),
        ("DELETE", f"{last}/roles/admin", None),
    ):  # fmt: skip
        more = {} if body is None else {"json": body}
        refusal(program.call(method, path, **more), 409, "last_admin")


@pytest.mark.spec("features G21")
def test_many_are_changed_at_once_and_each_is_told(manager):
    one, two = make(manager), make(manager)
    missing = "00000000-0000-4000-8000-00000000dead"

    answer = manager.post(
        "/users/bulk-status",
        {"ids": [one["id"], missing, two["id"], one["id"]], "action": "disable"},
    )

    results = answer.json()["data"]
    assert [(each["id"], each["done"], each["code"]) for each in results] == [
        (one["id"], True, None),
        (missing, False, "not_found"),
        (two["id"], True, None),
    ]
    assert manager.get(f"/users/{two['id']}").json()["enabled"] is False
    too_many = {"ids": [missing] * 1001, "action": "lock"}
    refusal(manager.post("/users/bulk-status", too_many), 422, "validation_failed")


@pytest.mark.spec("features I01", "features I02", "features I03", "features I05", "features G12")
def test_sessions_and_grants_are_seen_and_ended(programs, own):
    caller = programs.make(own)
    one, two, three = (Contents(programs, own) for _ in range(3))
    session, grant = f"/sessions/{one.ids['session_id']}", f"/grants/{two.ids['grant_id']}"

    seen = caller.get(session).json()
    assert seen["user_id"] == str(one.person.id)
    assert seen["active"] is True
    assert seen["amr"] == ["pwd"]
    assert [issue["client_id"] for issue in seen["issues"]] == [one.app.client_id]
    listed = caller.get(f"/users/{one.person.id}/sessions?active=true").json()
    assert [each["id"] for each in listed["data"]] == [seen["id"]]
    assert caller.delete(session).status_code == 204
    assert not alive(programs, one)
    assert caller.get(session).json()["active"] is False
    assert caller.delete(session).status_code == 204
    assert caller.get(f"/sessions?user_id={one.person.id}&active=true").json()["data"] == []

    allowed = caller.get(grant).json()
    assert allowed["client_id"] == two.app.client_id
    assert "openid" in allowed["scopes"]
    assert caller.get(f"/grants?client_id={two.app.id}&scope=openid").json()["data"]
    assert caller.delete(grant).status_code == 204
    assert not alive(programs, two)
    assert caller.get(grant).json()["active"] is False
    (line,) = programs.product.audit(own, "oauth.consent_revoked", target_id=two.ids["grant_id"])
    assert line.actor_id == caller.client_id

    for path in ("/sessions", "/grants"):
        refusal(caller.delete(path), 422, "filter_required")
    ended = caller.delete(f"/sessions?client_id={three.app.id}").json()
    assert ended == {"revoked_count": 0, "complete": True} or ended["revoked_count"] == 1
    assert caller.delete(f"/users/{three.person.id}/sessions").status_code == 200
    assert not alive(programs, three)
    refusal(caller.get("/sessions?ip=nowhere"), 422, "validation_failed")


@pytest.mark.spec("features W01")
def test_the_record_is_read_newest_first_and_by_what_is_asked(manager):
    user = make(manager)
    manager.patch(f"/users/{user['id']}", {"nickname": "N"})

    lines = manager.get(f"/audit?target_id={user['id']}&target_type=user").json()["data"]
    assert [line["event"] for line in lines][:1] == ["user.updated"]
    assert {line["event"] for line in lines[1:]} == {
        "user.role_granted", "user.created", "user.password_reset_sent",
    }  # fmt: skip
    assert lines[0]["actor"] == {"type": "client", "id": manager.client_id}
    assert lines[0]["metadata"] == {"changed": ["nickname"]}
    alone = manager.get(f"/audit/{lines[0]['id']}")
    assert alone.json() == lines[0]
    refusal(manager.get(f"/audit/{user['id']}"), 404, "not_found")
    refusal(manager.get("/audit/x"), 404, "not_found")
    one = manager.get(f"/audit?request_id={lines[0]['request_id']}&event=user.updated").json()
    assert [line["id"] for line in one["data"]] == [lines[0]["id"]]
    assert manager.get(f"/audit?user_id={user['id']}&limit=1").json()["has_more"] is True
    page = manager.get(f"/audit?actor_id={manager.client_id}&limit=2").json()
    rest = manager.get(f"/audit?actor_id={manager.client_id}&limit=2&after={page['next']}").json()
    assert not {line["id"] for line in page["data"]} & {line["id"] for line in rest["data"]}
    at = lines[0]["at"].replace("+00:00", "Z")
    assert lines[0]["id"] not in manager.get(f"/audit?until={at}").text
    refusal(manager.get("/audit?since=2020-01-01T00:00:00"), 422, "validation_failed")
    refusal(manager.get("/audit?limit=201"), 422, "validation_failed")


def test_figures_are_counted(manager):
    said = manager.get("/stats").json()

    assert all(figure["exact"] for name, figure in said.items() if name != "sign_ins")
    assert said["users"]["value"] > 0
    assert said["clients"]["value"] > 0
