"""
Every route of the table, met with what belongs to another tenant: it is as if it were not there.

A route without a case here fails: whoever adds one says what a call of it looks like.
"""

import re
from uuid import uuid4

import pytest
from addresses import ADDRESSES
from callers import every_scope, name, refusal, routes
from houses import OF_NOBODY, Contents

SETTINGS = {"redirect_uris": ["https://app.example/callback"]}
#: What a call of each route that has a body says; the others say nothing.
BODIES = {
    ("POST", "/users"): lambda: {"email": f"{name()}@x.example"},
    ("POST", "/users/bulk-status"): lambda: {"ids": [str(uuid4())], "action": "unlock"},
    ("PATCH", "/users/{user_id}"): lambda: {"nickname": "Nick"},
    ("POST", "/users/{user_id}/lock"): lambda: {"reason": "why"},
    ("POST", "/users/{user_id}/password-reset"): lambda: {"mode": "force_next"},
    ("POST", "/clients"): lambda: {"name": "App", **SETTINGS},
    ("PUT", "/clients/{client}"): lambda: {"name": "App", **SETTINGS},
    ("PATCH", "/clients/{client}"): lambda: {"name": "App"},
    ("POST", "/clients/{client}/secrets"): lambda: {"overlap_seconds": 0},
    ("POST", "/resources"): lambda: {"identifier": f"https://{name()}.example", "name": "A"},
    ("PATCH", "/resources/{resource}"): lambda: {"name": "B"},
    ("POST", "/keys/emergency"): lambda: {"kid": name(), "reason": "lost"},
    ("POST", "/keys/{kid}/promote"): lambda: {"override_reason": "why"},
    ("POST", "/keys/rotate"): lambda: {"algorithms": ["ES256"]},
    ("POST", "/tenants"): lambda: {"slug": name(), "display_name": "T"},
    ("PATCH", "/tenants/{slug}"): lambda: {"display_name": "T"},
    ("POST", "/tenants/{slug}/status"): lambda: {"status": "suspended", "reason": "why"},
    ("POST", "/tenants/{slug}/hosts"): lambda: {"host": f"{name()}.example"},
    ("POST", "/tenants/{slug}/hosts/{host}/verify"): lambda: {"override_reason": "ours"},
    ("PUT", "/settings/{section}"): lambda: {"id_token": 300},
    ("PATCH", "/settings/{section}"): lambda: {"id_token": 300},
    ("POST", "/settings/{section}/release"): lambda: {"fields": ["id_token"], "reason": "why"},
    ("POST", "/tenants/{slug}/config/{section}/release"): lambda: {
        "fields": ["id_token"],
        "reason": "why",
    },
    ("POST", "/settings/preview"): lambda: {"section": "oidc.ttl", "values": {}},
    ("POST", "/settings/import"): lambda: {"settings": {}},
    ("PUT", "/configuration"): lambda: {"settings": {}},
    ("POST", "/clients/{client}/preview"): lambda: {"profile": "standard"},
    ("POST", "/configuration/release"): lambda: {
        "part": "clients",
        "name": "board",
        "reason": "why",
    },
    ("PUT", "/tenants/{slug}/config/{section}"): lambda: {"id_token": 300},
    ("PATCH", "/tenants/{slug}/config/{section}"): lambda: {"id_token": 300},
    ("PUT", "/platform/defaults/{section}"): lambda: {"id_token": 300},
    ("PUT", "/platform/bounds/{section}"): lambda: {"id_token": 300},
    ("POST", "/platform/bounds/preview"): lambda: {"section": "oidc.ttl", "bounds": {}},
    ("POST", "/platform/templates"): lambda: {"name": name(), "settings": {}},
    ("PUT", "/platform/templates/{name}"): lambda: {"settings": {}},
    ("PATCH", "/tenants/{slug}/deletion"): lambda: {"paused": True},
}
#: What takes a file and no JSON.
FILES = ("/settings/branding/assets", "/tenants/{slug}/config/branding/assets")
BODIES |= {("POST", path): lambda: dict(FORM) for path in FILES}
FORM = {"data": {"kind": "favicon"}, "files": {"file": b"<svg/>"}}
WITHOUT_BODY = {
    ("DELETE", "/clients/{client}"), ("DELETE", "/clients/{client}/access"),
    ("DELETE", "/clients/{client}/secrets/{secret}"), ("DELETE", "/grants"),
    ("DELETE", "/grants/{grant_id}"), ("DELETE", "/keys/{kid}"),
    ("DELETE", "/resources/{resource}"), ("DELETE", "/sessions"),
    ("DELETE", "/sessions/{session_id}"), ("DELETE", "/tenants/{slug}/hosts/{host}"),
    ("DELETE", "/users/{user_id}/lock"), ("DELETE", "/users/{user_id}/roles/{role}"),
    ("DELETE", "/users/{user_id}/sessions"), ("GET", "/audit"), ("GET", "/audit/{line}"),
    ("GET", "/export/audit"),
    ("GET", "/clients"),
    ("GET", "/clients/{client}"), ("GET", "/clients/{client}/secrets"),
    ("GET", "/clients/{client}/stats"), ("GET", "/grants"),
    ("GET", "/grants/{grant_id}"), ("GET", "/keys"), ("GET", "/me"), ("GET", "/platform/pool"),
    ("GET", "/platform/stats"), ("GET", "/resources"), ("GET", "/sessions"),
    ("GET", "/sessions/{session_id}"), ("GET", "/stats"), ("GET", "/tenants"),
    ("GET", "/tenants/{slug}"), ("GET", "/tenants/{slug}/hosts"), ("GET", "/tenants/{slug}/users"),
    ("GET", "/users"), ("GET", "/users/{user_id}"), ("GET", "/users/{user_id}/events"),
    ("GET", "/users/{user_id}/sessions"), ("POST", "/clients/{client}/activate"),
    ("POST", "/clients/{client}/deactivate"), ("POST", "/clients/{client}/unverify"),
    ("POST", "/clients/{client}/verify"), ("POST", "/keys/retire-expired"),
    ("GET", "/keys/adoption"), ("POST", "/tenants/{slug}/hosts/{host}/primary"),
    ("GET", "/configuration"), ("GET", "/configuration/owned"),
    ("GET", "/settings"), ("GET", "/settings/export"),
    ("GET", "/settings/versions"), ("GET", "/settings/versions/{number}"),
    ("GET", "/settings/{section}"), ("DELETE", "/settings/{section}"),
    ("POST", "/settings/versions/{number}/restore"), ("GET", "/tenants/{slug}/config"),
    ("GET", "/tenants/{slug}/config/{section}"), ("DELETE", "/tenants/{slug}/config/{section}"),
    ("GET", "/platform/defaults/{section}"), ("GET", "/platform/bounds/{section}"),
    ("DELETE", "/tenants/{slug}"), ("POST", "/tenants/{slug}/undo-delete"),
    ("GET", "/tenants/{slug}/deletion"), ("GET", "/platform/jobs"), ("GET", "/platform/jobs/{job}"),
    ("GET", "/platform/isolation"), ("GET", "/platform/templates"),
    ("GET", "/platform/settings/versions"), ("GET", "/platform/settings/versions/{number}"),
    ("POST", "/platform/settings/versions/{number}/preview"),
    ("POST", "/platform/settings/versions/{number}/restore"),
    ("GET", "/platform/templates/{name}"), ("DELETE", "/platform/templates/{name}"),
    ("POST", "/platform/jobs/{job}/retry"), ("DELETE", "/platform/jobs/{job}"),
    *(("GET", path) for path in FILES),
    *(("DELETE", f"{path}/{{asset}}") for path in FILES),
    *(
        (method, f"{path}/{{section}}/{act}")
        for path in (
            "/settings", "/tenants/{slug}/config", "/platform/defaults", "/platform/bounds",
        )
        for method, act in (("GET", "plan"), ("DELETE", "plan"), ("POST", "plan/apply"))
    ),
    ("POST", "/users/{user_id}/revoke-tokens"), ("PUT", "/users/{user_id}/roles/{role}"),
}  # fmt: skip
#: Parameters that name something of a tenant.
OF_A_TENANT = {"user_id", "client", "session_id", "grant_id", "secret", "resource", "kid", "asset",
               "line"}  # fmt: skip
TENANT_ROUTES = [(m, p) for m, p, rule in routes() if not rule.across]


def parameters(path):
    return set(re.findall(r"{(\w+)}", path))


def call(caller, method, path, ids, **more):
    """One call of a route with *ids* in its path."""
    body = BODIES.get((method, path))
    said = {} if not body else body() if path in FILES else {"json": body()}
    return caller.call(method, path.format(**ids), **said, **more)


def unknown():
    """Ids that nothing has."""
    return {
        **{each: str(uuid4()) for each in OF_A_TENANT},
        "kid": name(),
        "role": "auditor",
        "slug": name(),
        "host": f"{name()}.example",
        **OF_NOBODY,
    }


@pytest.fixture(scope="module")
def contents(programs, slugs):
    return {slug: Contents(programs, slug) for slug in slugs}


@pytest.fixture(scope="module")
def callers(programs, slugs):
    """Programs of our tenant in turn: what they may do in a minute is not what is looked at."""
    return programs.pool(slugs[0], 24)


#: Read without a token: a host's own description, which says nothing of anybody.
PUBLIC = {("GET", "/openapi.json"), ("GET", "/docs")}


def test_every_route_has_a_case():
    table = {(method, path) for method, path, _ in routes()}

    assert table == BODIES.keys() | WITHOUT_BODY
    mounted = {(method, path.removeprefix("/api/v1")) for method, path in ADDRESSES["api"]}
    assert mounted == table | PUBLIC


@pytest.mark.spec("features Z02", "security 96")
def test_a_token_of_another_tenant_opens_nothing(contents, theirs):
    for method, path, _ in routes():
        answer = call(theirs, method, path, contents["ours"].ids, at="ours")

        refusal(answer, 401, "token_invalid")
        assert "ours" not in answer.text, (method, path)


def bytes_of(answer):
    """What an answer says, but for what is new each time."""
    instance = answer.headers["x-request-id"]
    kept = {
        each: value
        for each, value in answer.headers.items()
        if each not in {"date", "x-request-id", "ratelimit", "ratelimit-policy"}
    }
    return answer.status_code, kept, answer.text.replace(instance, "instance")


@pytest.mark.spec("features Z02", "security 96")
@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for m, p in TENANT_ROUTES if parameters(p) & OF_A_TENANT]
)
def test_what_another_tenant_has_is_answered_like_what_nobody_has(method, path, contents, callers):
    foreign = {**unknown(), **{k: contents["theirs"].ids[k] for k in OF_A_TENANT}}

    stranger = call(next(callers), method, path, foreign)
    nobody = call(next(callers), method, path, unknown())

    refusal(stranger, 404, "not_found")
    assert bytes_of(stranger) == bytes_of(nobody)
    if "secret" in parameters(path):  # theirs at a client of ours
        mixed = {**contents["ours"].ids, "secret": contents["theirs"].ids["secret"]}
        refusal(call(next(callers), method, path, mixed), 404, "not_found")


@pytest.mark.spec("features Z02", "security 96")
def test_lists_show_nothing_of_another_tenant_and_acts_on_many_reach_nothing(
    callers, contents, programs
):
    theirs = contents["theirs"]
    lists = (
        "/users", "/clients", "/sessions", "/grants", "/resources", "/keys", "/audit",
        "/export/audit", "/export/audit?format=csv",
    )  # fmt: skip
    whole = "".join(next(callers).get(path).text for path in lists)
    for each in OF_A_TENANT - {"secret"}:
        assert theirs.ids[each] not in whole, each
    for query in (f"user_id={theirs.ids['user_id']}", f"client_id={theirs.ids['client']}"):
        for path in ("/sessions", "/grants"):
            assert next(callers).get(f"{path}?{query}").json()["data"] == []
            ended = next(callers).delete(f"{path}?{query}")
            assert ended.status_code == 404 or ended.json()["revoked_count"] == 0
    many = {"ids": [theirs.ids["user_id"]], "action": "lock"}
    (result,) = next(callers).post("/users/bulk-status", many).json()["data"]
    assert result["code"] == "not_found"
    assert programs.make("theirs").get("/me").status_code == 200
    with programs.product.http() as http:
        userinfo = http.get(
            programs.product.url("theirs", "/oauth2/userinfo"),
            headers={"authorization": f"Bearer {theirs.tokens['access_token']}"},
        )
    assert userinfo.status_code == 200


@pytest.mark.spec("features Z02")
def test_no_tenant_but_the_platform_has_the_routes_that_cross_tenants(contents, callers):
    for method, path, rule in routes():
        if rule.across:
            answer = call(next(callers), method, path, contents["ours"].ids)
            refusal(answer, 403, "scope_not_allowed")


@pytest.mark.spec("features Z02")
def test_no_route_opens_without_its_scope(programs, contents):
    for scope in sorted({rule.scope for _, _, rule in routes() if rule.scope}):
        across = scope.startswith(("tenants:", "cross-tenant:"))
        slug = "_platforms" if across else "ours"
        known = [each.removeprefix("insula:") for each in every_scope(slug)]
        tiers = {}
        for method, path, rule in routes():
            if rule.scope != scope:
                continue
            # three calls of a tier for each program: fewer than any limit
            made, used = tiers.get(rule.tier, (None, 3))
            if used == 3:
                made, used = programs.make(slug, [s for s in known if s != scope]), 0
            tiers[rule.tier] = (made, used + 1)
            answer = call(made, method, path, contents["ours"].ids)
            refusal(answer, 403, "forbidden")


@pytest.mark.spec("features Z02", "security 101")
def test_no_answer_holds_a_secret(callers, contents, programs):
    """Because hashes and keys are canaries: they are looked for in everything that is told."""
    product, ours = programs.product, contents["ours"]
    canaries = {ours.app.secret, ours.tokens["access_token"]}
    for row in product.rows("select password_hash from insula.users where id = %s", ours.person.id):
        canaries.add(row.password_hash)
    for sql in (
        "select encode(token_hash, 'hex') as x from insula.sessions where user_id = %s",
        "select encode(digest, 'hex') as x from insula.client_secrets where client_id <> %s",
    ):
        canaries |= {row.x for row in product.rows(sql, ours.person.id)}
    reads = [path for method, path in TENANT_ROUTES if method == "GET"]
    told = "".join(next(callers).get(path.format(**ours.ids)).text for path in reads)

    assert len(told) > 1000
    assert not [canary for canary in canaries if canary in told]
    assert '"d":' not in told
