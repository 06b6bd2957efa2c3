"""Applications and APIs over the API."""

import pytest
from callers import name, refusal
from houses import Contents

WEB = {"redirect_uris": ["https://app.example/callback"]}


@pytest.fixture
def manager(programs, own):
    return programs.make(own)


def make(caller, **settings):
    answer = caller.post("/clients", {"name": "Ledger", **WEB, **settings})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.spec("features H01")
def test_a_client_is_registered_changed_replaced_and_deleted(manager, programs):
    made = manager.post("/clients", {"name": "Ledger", **WEB})
    client = made.json()
    where = f"/clients/{client['id']}"
    assert made.headers["location"] == f"/api/v1{where}"
    assert client["client_secret"].startswith("ins_cs_")
    read = manager.get(where)
    assert "client_secret" not in read.json()
    assert read.json()["settings"]["redirect_uris"] == WEB["redirect_uris"]

    changed = manager.patch(
        where,
        {"name": "Books", "default_max_age": 60},
        headers={"if-match": made.headers["etag"]},
    )
    assert changed.json()["name"] == "Books"
    assert changed.json()["settings"]["default_max_age"] == 60
    assert changed.json()["client_secret"] is None
    stale = manager.patch(where, {"name": "No"}, headers={"if-match": made.headers["etag"]})
    assert manager.client_id in refusal(stale, 412, "version_conflict")["detail"]
    public = manager.put(where, {"name": "Books", **WEB, "token_endpoint_auth_method": "none"})
    assert public.json()["settings"]["default_max_age"] is None
    assert manager.get(f"{where}/secrets").json()["data"] == []
    refusal(manager.post(f"{where}/secrets", {}), 409, "no_shared_secret")
    assert manager.delete(where).status_code == 204
    refusal(manager.get(where), 404, "not_found")
    events = [
        line.event
        for line in programs.product.rows(
            "select event from insula.audit_events where target_id = %s order by at",
            client["client_id"],
        )
    ]
    assert events == ["client.created", "client.updated", "client.updated", "client.deleted"]


@pytest.mark.spec("features H01", "features CR-2")
def test_settings_that_cannot_be_are_refused_by_name(manager):
    for wrong, field in (
        ({"redirect_uris": ["http://elsewhere.example/cb#x"]}, "redirect_uris"),
        ({"profile": "none"}, "profile"),
        ({"resources": ["https://nobody.example/api?<x>"]}, "resources"),
        ({"allow_dangerous_api": True}, None),
        ({"is_verified": True}, "is_verified"),
        ({"name": "\u200b"}, "client_name"),
    ):
        said = refusal(
            manager.post("/clients", {"name": "Ledger", **WEB, **wrong}), 422, "validation_failed"
        )
        if field:
            assert said["errors"][0]["field"].startswith(field), said
        assert "elsewhere" not in str(said)
        assert "nobody.example" not in str(said)


@pytest.mark.spec("features H01")
@pytest.mark.parametrize(
    ("kind", "more", "settled"),
    [
        ("spa", WEB, {"token_endpoint_auth_method": "none"}),
        ("native", {"redirect_uris": ["com.example.app:/cb"]}, {"application_type": "native"}),
        ("m2m", {}, {"grant_types": ["client_credentials"], "scopes": []}),
        ("device", {}, {"redirect_uris": []}),
    ],
)
def test_a_kind_of_application_settles_what_is_not_said(manager, kind, more, settled):
    made = manager.post("/clients", {"name": "App", "type": kind, **more})

    assert made.status_code == 201, made.text
    assert made.json()["settings"].items() >= settled.items()


@pytest.mark.spec("features Z02", "security 100")
def test_nobody_hands_on_what_they_may_not_do_themselves(programs, own):
    weak = programs.make(own, ["clients:read", "clients:write", "clients:delete"])
    strong = programs.make(own)
    machine = {"type": "m2m", "name": "M", "scopes": ["insula:keys:read"]}
    refusal(weak.post("/clients", machine), 403, "scope_not_allowed")
    made = strong.post("/clients", machine).json()
    plain = weak.post("/clients", {**machine, "scopes": ["insula:clients:read"]}).json()

    refusal(
        weak.patch(f"/clients/{plain['id']}", {"scopes": ["insula:keys:write"]}),
        403,
        "scope_not_allowed",
    )
    where = f"/clients/{made['id']}"
    for method, path, body in (
        ("POST", f"{where}/secrets", {}), ("PATCH", where, {"name": "X"}), ("DELETE", where, None),
        ("POST", f"{where}/deactivate", None), ("DELETE", f"{where}/access", None),
    ):  # fmt: skip
        more = {} if body is None else {"json": body}
        refusal(weak.call(method, path, **more), 403, "scope_not_allowed")
    across = {**machine, "scopes": ["insula:tenants:read"]}
    refusal(strong.post("/clients", across), 403, "scope_not_allowed")


@pytest.mark.spec("features H03", "features CR-6")
def test_a_secret_is_renewed_with_an_overlap_and_there_are_two_at_most(programs, own):
    caller = programs.make(own)
    machine = make(caller, type="m2m", redirect_uris=[], scopes=["insula:keys:read"])
    where, secrets = f"/clients/{machine['id']}/secrets", [machine["client_secret"]]

    def works(secret):
        app = type("App", (), {"client_id": machine["client_id"], "secret": secret})
        return programs.answer(own, app, ["insula:keys:read"]).status_code == 200

    for _ in range(2):
        renewed = caller.post(where, {"overlap_seconds": 3600})
        assert renewed.status_code == 201
        secrets.append(renewed.json()["client_secret"])

    assert [works(secret) for secret in secrets] == [False, True, True]
    newest, older = caller.get(where).json()["data"]
    assert newest["expires_at"] is None
    assert older["expires_at"] is not None
    assert caller.delete(f"{where}/{older['id']}").status_code == 204
    assert [works(secret) for secret in secrets] == [False, False, True]
    refusal(programs.make(own).delete(f"{where}/{older['id']}"), 404, "not_found")
    unmarked = programs.make(own, ["clients:write", "keys:read"], dangerous=False)
    refusal(unmarked.post(where, {}), 401, "step_up_required")
    bound = unmarked.post(where, {"overlap_seconds": 2_592_001})
    refusal(bound, 401, "step_up_required")


@pytest.mark.spec("features H02", "features H16", "features CR-7")
def test_a_client_is_stopped_and_what_it_was_given_stays_ended(programs, own):
    caller, contents, other = programs.make(own), Contents(programs, own), Contents(programs, own)
    where = f"/clients/{contents.app.id}"

    def alive(whose):
        answer = programs.product.shared.get(
            programs.product.url(own, "/oauth2/userinfo"),
            headers={"authorization": f"Bearer {whose.tokens['access_token']}"},
        )
        return answer.status_code == 200

    assert alive(contents)
    assert caller.post(f"{where}/deactivate").json()["status"] == "inactive"
    assert not alive(contents)
    assert caller.post(f"{where}/activate").json()["status"] == "active"
    assert not alive(contents)
    grants = caller.get(f"/grants?client_id={contents.app.id}&active=true").json()
    assert grants["data"] == []

    ended = caller.delete(f"/clients/{other.app.id}/access").json()
    assert ended["revoked_count"] >= 1
    assert ended["complete"] is True
    assert not alive(other)
    assert caller.get(f"/clients/{other.app.id}").json()["status"] == "active"
    (line,) = programs.product.audit(own, "client.access_revoked", target_id=other.app.client_id)
    assert line.actor_id == caller.client_id


@pytest.mark.spec("features H10")
def test_who_registered_itself_is_vouched_for(manager, programs):
    client = make(manager)
    where = f"/clients/{client['id']}"
    assert client["verified"] is True
    refusal(manager.post(f"{where}/unverify"), 422, "validation_failed")
    programs.product.change(
        "update insula.clients set origin = 'dynamic' where id = %s", client["id"]
    )
    assert manager.get(where).json()["verified"] is False
    assert manager.get("/clients?origin=dynamic").json()["data"][0]["id"] == client["id"]
    assert manager.post(f"{where}/verify").json()["verified"] is True
    assert manager.post(f"{where}/unverify").json()["verified"] is False


@pytest.mark.spec("features H01", "features CR-3")
def test_clients_are_searched_and_paged(manager):
    word = name()
    made = {make(manager, name=f"{word} {n}")["client_id"] for n in range(3)}

    first = manager.get(f"/clients?q={word}&limit=2&include_count=true").json()
    rest = manager.get(f"/clients?q={word}&limit=2&after={first['next']}").json()

    found = [each["client_id"] for each in first["data"] + rest["data"]]
    assert found == sorted(made)
    assert first["count"] == {"value": 3, "exact": True}
    backwards = manager.get(f"/clients?q={word}&sort=-client_id").json()["data"]
    assert [each["client_id"] for each in backwards] == sorted(made, reverse=True)
    assert manager.get(f"/clients?q={word}&status=inactive").json()["data"] == []


@pytest.mark.spec("features H08")
def test_an_api_is_added_with_its_scopes_and_changed_as_a_whole(manager):
    identifier = f"https://{name()}.example"
    read, write = f"{name()}:read", f"{name()}:write"
    made = manager.post(
        "/resources",
        {"identifier": identifier, "name": "Reports", "scopes": [read, write],
         "access_token_lifetime": 300},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    where = f"/resources/{made.json()['id']}"
    assert made.json()["scopes"] == sorted([read, write])
    assert made.json()["settings"]["access_token_lifetime"] == 300
    client = make(manager, type="m2m", redirect_uris=[], scopes=[read], resources=[identifier])

    refused = manager.patch(where, {"scopes": [write], "name": "Other"})
    refusal(refused, 409, "has_children")
    changed = manager.patch(where, {"scopes": [read], "token_format": "opaque"}).json()
    assert changed["scopes"] == [read]
    assert changed["name"] == "Reports"
    assert changed["settings"]["token_format"] == "opaque"
    again = {"identifier": identifier, "name": "Reports"}
    refusal(manager.post("/resources", again), 409, "name_taken")
    for wrong in ("insula:users:read", "openid", "with space"):
        body = {"identifier": f"https://{name()}.example", "name": "R", "scopes": [wrong]}
        refusal(manager.post("/resources", body), 422, "validation_failed")
        assert body["identifier"] not in manager.get("/resources").text
    refusal(manager.delete(where), 409, "has_children")
    assert manager.delete(f"{where}?force=true").status_code == 204
    settings = manager.get(f"/clients/{client['id']}").json()["settings"]
    assert settings["scopes"] == settings["resources"] == []
