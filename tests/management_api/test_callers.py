"""Who is let in: tokens of the host, for this API, with the scope, the role, a fresh sign-in."""

import secrets
import time

import jwt
import pytest
from callers import refusal
from signed import Key, signed_proof
from spine import signed_in, tokens_of


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.spec("features Z02", "security 36")
def test_a_token_is_for_the_host_of_its_issuer_and_lives_as_long_as_its_scopes_may(programs):
    product = programs.product
    slug = f"lives{secrets.token_hex(4)}"
    product.tenant(slug)
    programs.lives(slug, client_credentials=3000)
    caller = programs.make(slug)
    audience = f"{product.issuer(slug)}/api/v1"

    for scopes, longest in (
        (["insula:keys:read"], 3000),
        (["insula:keys:write"], 1800),
        (["insula:keys:read", "insula:keys:delete"], 900),
    ):
        said = claims(programs.token(slug, caller_app(caller), scopes))
        assert said["aud"] == audience
        assert said["exp"] - said["iat"] == longest


def caller_app(caller):
    return type("App", (), {"client_id": caller.client_id, "secret": caller.secret})


@pytest.mark.spec("features Z02", "security 100")
def test_a_client_has_no_scope_that_it_was_not_given(programs, own):
    app = programs.product.app(
        own, grant_types=("client_credentials",), redirect_uris=(),
        post_logout_redirect_uris=(), scopes=("insula:keys:read",),
    )  # fmt: skip

    for scope in ("insula:keys:write", "insula:tenants:read"):
        refused = programs.answer(own, app, [scope])
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.spec("features Z03", "RFC6750-3")
def test_a_missing_token_and_an_invalid_one_are_told_apart(ours):
    bare = ours.call("GET", "/me", headers={"authorization": ""})
    refusal(bare, 401, "token_missing")
    dpop, bearer = bare.headers.get_list("www-authenticate")
    assert dpop.startswith('DPoP realm="api", algs=')
    assert bearer == 'Bearer realm="api"'

    wrong = ours.get("/me", token="ins_at_" + secrets.token_urlsafe(32))
    refusal(wrong, 401, "token_invalid")
    assert 'Bearer realm="api", error="invalid_token"' in wrong.headers["www-authenticate"]


@pytest.mark.spec("features Z02", "security 36")
def test_a_token_for_something_else_is_refused(programs, own, ours, theirs, platform):
    product = programs.product
    app = product.app(own, scopes=("openid", "profile", "insula:keys:read"))
    with signed_in(product, own, app) as browser:
        for_userinfo = tokens_of(product, own, app, browser, scope="openid")["access_token"]

    for token in (for_userinfo, theirs.token, platform.token):
        refusal(ours.get("/keys", token=token), 401, "token_invalid")
    refusal(
        ours.get(f"/me?access_token={ours.token}", headers={"authorization": ""}),
        400,
        "bad_request",
    )
    with product.http() as http:
        userinfo = http.get(
            product.url(own, "/oauth2/userinfo"),
            headers={"authorization": f"Bearer {ours.token}"},
        )
    assert userinfo.status_code == 401


@pytest.mark.spec("features Z02", "features W01")
def test_who_lacks_the_scope_is_refused_and_stands_in_the_record(programs, own):
    caller = programs.make(own, ["users:read"])

    refused = caller.get("/keys")

    refusal(refused, 403, "forbidden")
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert 'scope="insula:keys:read"' in refused.headers["www-authenticate"]
    (line,) = programs.product.audit(own, "api.request_denied", actor_id=caller.client_id)
    assert line.status == "failed"
    assert line.metadata["route"] == "/keys"


@pytest.mark.spec("features Z02", "security 100")
def test_what_crosses_tenants_is_there_on_the_platforms_host_alone(ours, platform):
    refusal(ours.get("/tenants"), 403, "scope_not_allowed")
    assert platform.get("/tenants").status_code == 200


@pytest.mark.spec("DPOP-7", "features Z02")
def test_a_bound_token_works_with_its_proof_and_with_nothing_less(programs, own):
    key, product = Key(), programs.product
    app = caller_app(programs.make(own, ["keys:read"]))
    token_url = product.url(own, "/oauth2/token")
    with product.http(auth=(app.client_id, app.secret)) as http:
        issued = http.post(
            token_url,
            data={"grant_type": "client_credentials", "scope": "insula:keys:read"},
            headers={"dpop": signed_proof(key, "POST", token_url)},
        ).json()
    assert issued["token_type"] == "DPoP"
    url = product.url(own, "/api/v1/keys")

    def call(scheme, *proofs):
        headers = [("authorization", f"{scheme} {issued['access_token']}")]
        with product.http() as http:
            return http.get(url, headers=[*headers, *(("dpop", proof) for proof in proofs)])

    good = signed_proof(key, "GET", url, token=issued["access_token"])
    assert call("DPoP", good).status_code == 200
    refusal(call("DPoP", good), 401, "token_invalid")  # a proof counts once
    refusal(call("Bearer"), 401, "token_invalid")
    refusal(call("DPoP"), 401, "token_invalid")
    elsewhere = signed_proof(key, "GET", url + "/x", token=issued["access_token"])
    refusal(call("DPoP", elsewhere), 401, "token_invalid")


@pytest.mark.spec("features Z02", "security 99")
def test_a_client_that_acts_for_a_person_needs_the_persons_role_at_that_moment(programs, own):
    product = programs.product
    scopes = ["keys:read", "keys:write", "users:read"]
    admin = programs.for_person(own, ("user", "admin"), scopes)
    auditor = programs.for_person(own, ("auditor",), scopes)
    user = programs.for_person(own, ("user",), scopes)

    assert admin.get("/keys").status_code == auditor.get("/keys").status_code == 200
    refusal(user.get("/keys"), 403, "forbidden")
    refusal(auditor.post("/keys/rotate"), 403, "forbidden")
    me = admin.get("/me").json()
    assert me["user"]["id"] == str(admin.person.id)
    assert me["user"]["roles"] == ["admin", "user"]
    assert user.get("/me").status_code == 200

    product.change("delete from insula.user_roles where user_id = %s", auditor.person.id)
    refusal(auditor.get("/keys"), 403, "forbidden")


@pytest.mark.spec("features Z02")
def test_people_of_the_platform_cross_tenants_by_roles_of_their_own(programs):
    scopes = ["tenants:read", "tenants:write"]
    viewer = programs.for_person("_platforms", ("platform_viewer",), scopes)
    admin = programs.for_person("_platforms", ("admin",), scopes)

    assert viewer.get("/tenants").status_code == 200
    refusal(viewer.post("/tenants", {"slug": "never", "name": "Never"}), 403, "forbidden")
    refusal(admin.get("/tenants"), 403, "forbidden")


@pytest.mark.spec("features CR-6")
def test_a_dangerous_act_needs_a_fresh_sign_in_or_a_marked_client(programs, own):
    product = programs.product
    marked = programs.make(own, ["keys:delete"])
    unmarked = programs.make(own, ["keys:delete"], dangerous=False)
    admin = programs.for_person(own, ("admin",), ["keys:delete"])

    assert marked.post("/keys/retire-expired").status_code == 200
    refusal(unmarked.post("/keys/retire-expired"), 401, "step_up_required")
    assert admin.post("/keys/retire-expired").status_code == 200
    product.change(
        "update insula.token_issues set auth_time = auth_time - interval '16 minutes'"
        " where user_id = %s",
        admin.person.id,
    )
    refused = admin.post("/keys/retire-expired")
    refusal(refused, 401, "step_up_required")
    assert 'max_age="900"' in refused.headers["www-authenticate"]


@pytest.mark.spec("features CR-7", "security 99")
def test_who_is_ended_is_out_at_once(programs, slugs):
    product = programs.product
    person = programs.for_person(slugs[0], ("admin",), ["keys:read"])
    client = programs.make(slugs[0])
    assert person.get("/keys").status_code == client.get("/keys").status_code == 200

    product.change("update insula.users set status = 'disabled' where id = %s", person.person.id)
    product.change(
        "update insula.clients set status = 'inactive' where client_id = %s", client.client_id
    )

    refusal(person.get("/keys"), 401, "token_invalid")
    refusal(client.get("/keys"), 401, "token_invalid")


@pytest.mark.spec("features Z02")
def test_a_suspended_tenant_has_no_api(programs):
    slug = f"gone{secrets.token_hex(4)}"
    programs.product.tenant(slug)
    caller = programs.make(slug)
    assert caller.get("/me").status_code == 200

    programs.product.suspend(slug)

    deadline = time.monotonic() + 6
    while (answer := caller.get("/me")).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code in (401, 403)


def test_cookies_and_other_origins_mean_nothing(programs, own, ours):
    app = programs.product.app(own)
    with signed_in(programs.product, own, app) as browser:
        answer = browser.get(programs.product.url(own, "/api/v1/me"))
    assert answer.status_code == 401
    asked = ours.get("/me", headers={"origin": "https://app.example"})
    assert not [name for name in asked.headers if name.startswith("access-control")]
    assert ours.call("OPTIONS", "/me").status_code == 405
