"""The whole configuration by API: what a document may not do that its caller may not."""

import secrets

import pytest
from callers import refusal
from spine import FAST, GRANTS, Api, code_of, signed_in, tokens_of

ANY = {"if-match": "*"}
MACHINE = {"grant_types": ["client_credentials"]}


def client(name="M", **metadata):
    return {"name": name, "metadata": {**MACHINE, **metadata}}


def put(caller, clients, query="", settings=None):
    document = {"clients": clients, **({"settings": settings} if settings else {})}
    return caller.put(f"/configuration{query}", document, headers=ANY)


@pytest.fixture
def slug(programs):
    slug = f"doc{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return slug


@pytest.mark.spec("features Z02", "features BEY-12", "security 100")
def test_a_document_gives_and_takes_no_power_that_its_caller_has_not(programs, slug):
    weak = programs.make(slug, ["settings:read", "settings:write"])
    strong = programs.make(slug, ["settings:read", "settings:write", "users:write", "keys:read"])
    there = weak.get("/configuration").json()["clients"]
    evil = client(scopes=["insula:users:write"])
    ttl = {"oidc.ttl": {"id_token": 300}}
    changed = {**there[strong.client_id], "name": "Renamed"}
    for clients in (
        {**there, "evil": evil},  # made
        {**there, weak.client_id: {**there[weak.client_id], **evil}},  # changed to more
        {**there, strong.client_id: changed},
        {**there, strong.client_id: client()},  # changed to less
        {**there, strong.client_id: {**there[strong.client_id], "status": "inactive"}},
        {weak.client_id: there[weak.client_id]},  # taken away
    ):
        for query in ("", "?dry_run=true"):
            refusal(put(weak, clients, query, ttl), 403, "scope_not_allowed")
    assert weak.get("/configuration").json()["clients"] == there
    assert weak.get("/settings/oidc.ttl").json()["own"] == {}

    same = client(scopes=["insula:settings:read"])
    done = put(weak, {**there, "same": same}, settings=ttl)  # what is stronger stays as it is
    assert set(done.json()["secrets"]) == {"same"}
    made = put(strong, {**there, "same": same, "evil": evil, strong.client_id: changed})
    assert set(made.json()["secrets"]) == {"evil"}
    assert put(strong, {**there, "evil": {**evil, "status": "inactive"}}).status_code == 200
    assert put(strong, there).status_code == 200


@pytest.mark.spec("features CR-6", "features H12")
def test_no_document_over_the_api_settles_who_may_do_dangerous_acts(programs, slug):
    caller = programs.make(slug)
    unmarked = programs.make(slug, ["keys:read"], dangerous=False)
    there = caller.get("/configuration").json()["clients"]
    mine, theirs = there[caller.client_id], there[unmarked.client_id]
    assert mine["metadata"]["allow_dangerous_api"] is True
    without = {k: v for k, v in mine["metadata"].items() if k != "allow_dangerous_api"}
    for clients in (
        {**there, "evil": client(allow_dangerous_api=True)},
        {**there, unmarked.client_id: client(**theirs["metadata"], allow_dangerous_api=True)},
        {**there, caller.client_id: {**mine, "metadata": without}},
    ):
        refusal(put(caller, clients), 422, "not_over_the_api")

    kept = {
        **there,
        "plain": client(allow_dangerous_api=False),
        caller.client_id: {**mine, "name": "New"},
    }
    assert put(caller, kept).status_code == 200
    read = caller.get("/configuration").json()["clients"][caller.client_id]
    assert (read["name"], read["metadata"]) == ("New", mine["metadata"])


@pytest.mark.spec("features Z02", "security 100")
def test_a_document_of_the_platform_gives_nothing_across_tenants_that_its_caller_has_not(programs):
    home = programs.make("_platforms", ["settings:read", "settings:write", "tenants:read"])
    there = home.get("/configuration").json()["clients"]
    across = client(scopes=["insula:tenants:delete", "insula:cross-tenant:write"])

    refused = put(home, {**there, "evil": across}, "?dry_run=true")

    refusal(refused, 403, "scope_not_allowed")
    allowed = put(home, {**there, "evil": client(scopes=["insula:tenants:read"])}, "?dry_run=true")
    assert allowed.status_code == 200, allowed.text


@pytest.mark.spec("features CR-4", "features BEY-12")
def test_who_comes_too_late_is_told_who_changed_the_configuration_last(programs, slug, platform):
    ada, bea = programs.make(slug), programs.make(slug)
    config = f"/tenants/{slug}/config/oidc.ttl"
    for act, who, event in (
        (lambda: bea.patch("/settings/oidc.ttl", {"id_token": 300}), bea, "config.updated"),
        (lambda: bea.post("/clients", {"name": "M", "type": "m2m"}), bea, "client.created"),
        (lambda: platform.patch(config, {"id_token": 400}), platform, "config.updated"),
    ):
        seen = ada.get("/configuration").headers["etag"]
        assert act().status_code < 300
        late = ada.put("/configuration", {"settings": {}}, headers={"if-match": seen})
        told = refusal(late, 412, "version_conflict")["detail"]
        kind = "platform" if who is platform else "client"
        assert f"since you read it: {kind} {who.client_id} at 20" in told
        assert told.endswith(f" ({event}). Read it again.")


@pytest.mark.spec("features CR-2", "features BEY-12")
def test_a_refusal_says_which_of_many_objects_is_wrong(programs, slug):
    caller = programs.make(slug)
    there = caller.get("/configuration").json()["clients"]
    for wrong, field in (
        ({"redirect_uris": ["https://x.example/cb#a"]}, "clients.c2.redirect_uris"),
        ({"profile": 1}, "clients.c2.profile"),
        ({"allow_dangerous_api": True}, "clients.c2.allow_dangerous_api"),
    ):
        said = put(caller, {**there, "c1": client(), "c2": client(**wrong), "c3": client()})
        assert [each["field"] for each in said.json()["errors"]] == [field]
        assert "x.example" not in said.text
    api = f"https://{'x.' * 9}example"
    document = {"apis": {api: {"name": "X", "settings": {"signing_alg": "none"}}}}
    said = caller.put("/configuration", document, headers=ANY).json()["errors"]
    assert said[0]["field"] == "apis.?.x.x.x.x.?.signing_alg"


@pytest.mark.spec("features CR-7", "features H02", "features BEY-12")
def test_a_client_that_a_document_stops_gets_nothing_back(programs, slug):
    product, caller = programs.product, programs.make(slug)
    app, other = (product.app(slug, grant_types=GRANTS, **FAST) for _ in range(2))
    person, api = product.person(slug), Api(product, slug, app)
    with signed_in(product, slug, app, person) as browser:
        tokens, code = (use(product, slug, app, browser) for use in (tokens_of, code_of))
        theirs = tokens_of(product, slug, other, browser)
    there = caller.get("/configuration").json()["clients"]

    def be(status, query=""):
        stated = {**there, app.client_id: {**there[app.client_id], "status": status}}
        assert put(caller, stated, query).status_code == 200

    def lives():
        return api.userinfo(tokens["access_token"]).status_code == 200

    be("inactive", "?dry_run=true")
    assert lives()
    be("paused")  # begins nothing new; its tokens go on
    assert lives()
    assert not product.audit(slug, "client.access_revoked")
    be("inactive")
    assert not lives()
    be("active")

    assert not lives()
    for answer in (api.refresh(tokens["refresh_token"]), api.redeem(code)):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    (line,) = product.audit(slug, "client.access_revoked")
    assert (line.target_id, line.actor_id) == (app.client_id, caller.client_id)
    kept = Api(product, slug, other).userinfo(theirs["access_token"])
    assert kept.status_code == 200, kept.text
