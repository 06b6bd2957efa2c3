"""The registry over the API, on the platform's own host."""

import time

import pytest
from callers import name, refusal

from insula.tenants import service as tenants
from insula.tenants.errors import TenantProtected

#: A domain that is given on our word.
OURS = {"override_reason": "a test"}


def make(caller, **facts):
    answer = caller.post("/tenants", {"slug": name(), "display_name": "Initech", **facts})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.spec("features D04", "features Z01")
def test_a_tenant_is_made_whole_and_served_at_once(platform, programs):
    slug, domain = name(), f"login.{name()}.example"
    made = platform.post(
        "/tenants", {"slug": slug, "name": "  Acme\u202e Corp ", "domain": domain.upper(), **OURS}
    )

    assert made.status_code == 201
    tenant = made.json()
    assert tenant["display_name"] == "Acme Corp"
    assert tenant["domain"] == domain
    assert tenant["issuer"] == f"http://{domain}:{programs.product.server.port}"
    plain = make(platform)["slug"]
    with programs.product.http() as http:
        document = http.get(programs.product.url(plain, "/.well-known/openid-configuration"))
    assert document.json()["issuer"] == programs.product.issuer(plain)
    detail = platform.get(f"/tenants/{slug}").json()
    assert detail["users"] == detail["clients"] == {"value": 0, "exact": True}
    (line,) = programs.product.audit(slug, "tenant.created")
    assert (line.actor_type, line.actor_id) == ("platform", platform.client_id)


@pytest.mark.spec("features D04", "features Z03")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"slug": "acme"}, 409, "slug_taken"),
        ({"slug": "admin"}, 422, "slug_reserved"),
        ({"slug": "Upper Case"}, 422, "validation_failed"),
        ({"slug": "_platforms"}, 422, "slug_reserved"),
        ({"display_name": "\u202e"}, 422, "validation_failed"),
        ({"domain": "http://x.example/"}, 422, "validation_failed"),
        ({"domain": "127.0.0.1"}, 422, "validation_failed"),
        ({"domain": "x.localhost"}, 422, "validation_failed"),
        ({"status": "suspended"}, 422, "validation_failed"),
        ({"protected": True}, 422, "validation_failed"),
    ],
)
def test_a_tenant_that_cannot_be_is_not_made(module_platform, change, status, code):
    wanted = {"slug": name(), "display_name": "Initech", **change}

    refusal(module_platform.post("/tenants", wanted), status, code)


@pytest.fixture(scope="module")
def module_platform(programs):
    return programs.make("_platforms")


@pytest.mark.spec("features D06", "features D04")
def test_a_tenant_is_renamed_and_moved_to_a_domain_and_back(platform):
    slug, domain = make(platform)["slug"], f"login.{name()}.example"
    where = f"/tenants/{slug}"

    moved = platform.patch(where, {"display_name": "Globe", "domain": domain, **OURS}).json()

    assert (moved["display_name"], moved["domain"]) == ("Globe", domain)
    assert domain in moved["issuer"]
    other = make(platform)["slug"]
    refusal(platform.patch(f"/tenants/{other}", {"domain": domain}), 409, "domain_taken")
    refusal(platform.patch(f"/tenants/{other}", {"slug": "x"}), 422, "validation_failed")
    back = platform.patch(where, {"domain": None}).json()
    assert back["domain"] is None
    (host,) = platform.get(f"{where}/hosts").json()["data"]
    assert (host["host"], host["primary"]) == (domain, False)
    refusal(platform.post(f"/tenants/{other}/hosts", {"host": domain, **OURS}), 409, "domain_taken")
    (again,) = platform.post(f"{where}/hosts/{domain}/primary").json()["data"]
    assert again["primary"] is True
    refusal(platform.post(f"/tenants/{other}/hosts", {"host": domain}), 409, "domain_taken")
    refusal(platform.post(f"/tenants/{other}/hosts/{domain}/primary"), 404, "not_found")
    refusal(platform.delete(f"/tenants/{other}/hosts/{domain}"), 404, "not_found")
    assert [each["slug"] for each in platform.get(f"/tenants?q={domain}").json()["data"]] == [slug]


@pytest.mark.spec("features CR-4", "features D06", "features W01")
def test_what_is_as_it_was_is_no_change_and_a_change_says_what_was(platform, programs):
    slug, domain = make(platform, display_name="Initech")["slug"], f"login.{name()}.example"
    where, product = f"/tenants/{slug}", programs.product

    def same(*changes):
        etag = platform.get(where).headers["etag"]
        lines = product.audit(slug, "tenant.updated")
        for change in changes:
            answer = platform.patch(where, change, headers={"if-match": etag})
            assert (answer.status_code, answer.headers["etag"]) == (200, etag)
        assert product.audit(slug, "tenant.updated") == lines

    same({}, {"name": "Initech"}, {"name": " Initech "}, {"domain": None})
    platform.patch(where, {"name": "Globe", "domain": domain})
    same({"name": "Globe", "domain": domain.upper()}, {"domain": None})  # pending still
    platform.patch(where, {"domain": domain, **OURS})
    same({"domain": domain})
    platform.patch(where, {"name": "Globe", "domain": None})
    told = [line.metadata for line in product.audit(slug, "tenant.updated")]
    away, given, both = told
    assert (away["before"], away["after"]) == ({"domain": domain}, {"domain": None})
    assert (given["before"], given["after"]) == ({"domain": None}, {"domain": domain})
    assert (both["changed"], both["before"], both["after"]) == (
        ["display_name", "domain"],
        {"display_name": "Initech", "domain": None},
        {"display_name": "Globe", "domain": domain},
    )


@pytest.mark.spec("features D07", "features D09", "features CR-6", "features CR-7")
def test_a_status_counts_at_once_and_needs_step_up(platform, programs):
    slug = make(platform)["slug"]
    where, caller = f"/tenants/{slug}", programs.make(slug)
    unmarked = programs.make("_platforms", ["tenants:write"], dangerous=False)
    refusal(unmarked.post(f"{where}/status", {"status": "suspended"}), 401, "step_up_required")
    assert caller.get("/me").status_code == 200

    stopped = platform.post(f"{where}/status", {"status": "suspended", "reason": "unpaid"})

    assert stopped.json()["status"] == "suspended"
    deadline = time.monotonic() + 5
    while caller.get("/me").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    refusal(caller.get("/me"), 403, "tenant_not_active")
    (line,) = programs.product.audit(slug, "tenant.suspended")
    assert line.metadata["reason"] == "unpaid"
    for unsaid in ({}, {"reason": " "}):
        for status in ("suspended", "archived"):
            said = platform.post(f"{where}/status", {"status": status, **unsaid})
            errors = refusal(said, 422, "validation_failed")["errors"]
            assert errors == [{"field": "reason", "code": "missing"}]
    for change in ({"status": "archived", "reason": "moved away"}, {"status": "active"}):
        changed = platform.post(f"{where}/status", change)
        assert changed.json()["status"] == change["status"]
    assert slug in platform.get("/tenants?status=active&limit=100&sort=-created_at").text
    refusal(platform.post(f"{where}/status", {"status": "deleting"}), 422, "validation_failed")
    for protected in ("_platforms", "_ops", "default"):
        refused = programs.make("_platforms").post(
            f"/tenants/{protected}/status", {"status": "suspended", "reason": "unpaid"}
        )
        refusal(refused, 409, "tenant_protected")
    refusal(platform.patch("/tenants/_platforms", {"display_name": "X"}), 409, "tenant_protected")
    for protected in ("_platforms", "_ops"):
        where = f"/tenants/{protected}/hosts"
        refusal(platform.post(where, {"host": f"{name()}.example"}), 409, "tenant_protected")
        with pytest.raises(TenantProtected):  # nor by a command
            programs.product.backstage.run(
                lambda here, slug=protected: tenants.rename(here.platform, slug, "X")
            )


@pytest.mark.spec("features A06")
def test_a_tenant_whose_slug_is_no_host_is_not_left_without_a_domain(platform):
    slug, domain = name().replace("-", "_") + "_x", f"login.{name()}.example"
    make(platform, slug=slug, domain=domain, **OURS)

    refusal(platform.patch(f"/tenants/{slug}", {"domain": None}), 422, "slug_not_host_safe")
    refusal(platform.delete(f"/tenants/{slug}/hosts/{domain}"), 422, "slug_not_host_safe")
    assert platform.get(f"/tenants/{slug}").json()["domain"] == domain


@pytest.mark.spec("features D03")
def test_tenants_are_found_by_status_slug_and_name(platform):
    word = name()
    kept = make(platform, slug=f"{word}-a", display_name=f"Kept {word.upper()}")["slug"]
    put_away = make(platform, slug=f"{word}-b")["slug"]
    platform.post(f"/tenants/{put_away}/status", {"status": "archived", "reason": "gone"})

    def found(query):
        return [each["slug"] for each in platform.get(f"/tenants?{query}").json()["data"]]

    assert found(f"q={word}") == [kept]
    assert found(f"q={word.upper()}") == [kept]
    assert found(f"q={word}&status=archived") == [put_away]
    assert found(f"q={word}&status=suspended") == []
    assert found("q=%25") == []


@pytest.mark.spec("features CR-3", "features D03")
def test_a_list_of_tenants_goes_on_where_it_ended_and_is_counted(platform):
    word = name()
    slugs = [make(platform, slug=f"{word}-{n}")["slug"] for n in range(3)]

    first = platform.get(f"/tenants?q={word}&limit=2&include_count=true").json()
    second = platform.get(f"/tenants?q={word}&limit=2&after={first['next']}").json()
    newest = platform.get("/tenants?sort=-created_at&limit=2&include_count=true").json()

    assert [each["slug"] for each in (*first["data"], *second["data"])] == slugs
    assert (first["has_more"], second["has_more"], second["next"]) == (True, False, None)
    assert first["count"] == {"value": 3, "exact": True}
    assert [each["slug"] for each in newest["data"]] == slugs[:0:-1]
    assert newest["count"]["value"] >= 3
    assert "_platforms" not in platform.get("/tenants?limit=100").text
    refusal(platform.get(f"/tenants?sort=-users&after={first['next']}"), 400, "cursor_invalid")


@pytest.mark.spec("features D05", "features W03")
def test_who_looks_at_a_tenants_people_stands_in_both_records(platform, programs, own):
    product = programs.product
    product.person(own)
    product.person(own)

    page = platform.get(f"/tenants/{own}/users?limit=1").json()

    assert page["data"][0]["username"]
    second = platform.get(f"/tenants/{own}/users?limit=1&after={page['next']}")
    assert second.status_code == 200
    for slug in (own, "_platforms"):
        lines = product.audit(slug, "tenant.viewed_by_platform", actor_id=platform.client_id)
        assert len(lines) == 2
    refusal(platform.get("/tenants/nobody/users"), 404, "tenant_not_found")


def test_figures_of_the_platform(platform):
    figures = platform.get("/platform/stats").json()
    pool = platform.get("/platform/pool").json()

    assert figures["active"]["value"] >= 4
    assert figures["active"]["exact"] is True
    assert 1 <= pool["size"] <= pool["max_size"]


@pytest.mark.spec("features K01", "features K02", "features K03")
def test_keys_go_through_their_phases(programs):
    slug, product = name(), programs.product
    product.tenant(slug)

    def caller():  # three sensitive acts a minute are few
        return programs.make(slug)

    rotated = caller().post("/keys/rotate", {"algorithms": ["ES256"]})
    assert rotated.status_code == 201
    (new,) = rotated.json()["data"]
    assert new["status"] == "next"
    refusal(caller().post("/keys/rotate", {"algorithms": ["ES256"]}), 409, "duplicate")
    refusal(caller().post("/keys/rotate", {"algorithms": ["HS256"]}), 422, "validation_failed")
    refusal(caller().post(f"/keys/{new['kid']}/promote"), 409, "adoption_behind")
    product.change(
        "update insula.signing_keys set published_at = now() - interval '1 day'"
        " where tenant_id = %s and kid = %s",
        product.tenant_id(slug), new["kid"],
    )  # fmt: skip
    assert caller().post(f"/keys/{new['kid']}/promote").json()["status"] == "active"
    keys = caller().get("/keys").json()["data"]
    old = next(key for key in keys if key["status"] == "retiring")
    assert {"d", "sealed", "public_jwk"}.isdisjoint(new)
    refusal(caller().delete(f"/keys/{new['kid']}"), 409, "last_signing_key")
    refusal(caller().delete(f"/keys/{old['kid']}"), 409, "adoption_behind")
    product.change(
        "update insula.signing_keys set retiring_at = now() - interval '2 days'"
        " where tenant_id = %s and kid = %s",
        product.tenant_id(slug), old["kid"],
    )  # fmt: skip
    assert caller().post("/keys/retire-expired").json() == {"retired": [old["kid"]]}
    refusal(caller().delete(f"/keys/{old['kid']}"), 409, "already_retired")
