"""Links by which people choose a password, as programs get them: once, and as far as they may."""

from datetime import UTC, datetime, timedelta

import pytest
from browsing import Browser
from callers import name, refusal

from insula.tenancy.models import PLATFORMS

NEW = "seventeen grey herons"


def follow(url):
    """Choose a password by a link; the status that it ends with."""
    with Browser() as browser:
        page = browser.open(url)
        if page.status != 200:
            return page.status
        return browser.submit(page, "save", new_password=NEW, repeat=NEW).status


@pytest.mark.spec("features D04", "features F21", "features CR-4")
def test_a_tenant_comes_with_its_first_administrator_or_not_at_all(platform, programs):
    product, slug, email = programs.product, name(), "Mira@people.example"
    key = {"idempotency-key": name()}
    wanted = {"slug": slug, "display_name": "Initech", "first_admin_email": email}

    made = platform.post("/tenants", wanted, headers=key)

    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    first = made.json()["first_admin"]
    assert first.keys() == {"id", "email", "activation_url", "expires_at"}
    assert first["email"] == email
    assert first["activation_url"].startswith(f"{made.json()['issuer']}/sign-in/activate?token=")
    left = datetime.fromisoformat(first["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    (user,) = product.rows(
        "select u.*, array(select role from insula.user_roles r where r.user_id = u.id) as roles"
        " from insula.users u where tenant_id = %s",
        product.tenant_id(slug),
    )
    assert (str(user.id), user.roles, user.password_hash) == (first["id"], ["superadmin"], None)
    (line,) = product.audit(slug, "user.created")
    assert (line.actor_type, line.actor_id) == ("platform", platform.client_id)
    # the answer is kept sealed under the caller's key, like that with a client's secret
    again = platform.post("/tenants", wanted, headers=key)
    assert (again.content, again.headers["cache-control"]) == (made.content, "no-store")
    token = first["activation_url"].partition("=")[2].encode()
    kept = product.rows("select answer from insula.idempotency_keys where answer is not null")
    assert not any(token in bytes(row.answer) for row in kept)
    assert "token=" not in platform.get(f"/tenants/{slug}").text
    assert follow(first["activation_url"]) == 200

    plain = platform.post("/tenants", {"slug": name(), "display_name": "Initech"}).json()
    assert plain["first_admin"] is None
    for odd in ("nobody", "a@b@c", "x y@z.example", "@z.example", 7, ""):
        half = {"slug": name(), "display_name": "Half", "first_admin_email": odd}
        said = refusal(platform.post("/tenants", half), 422, "validation_failed")
        assert said["errors"][0]["field"] == "first_admin_email"
        assert not product.rows("select * from insula.tenants where slug = %s", half["slug"])


@pytest.mark.spec("features G02", "features F21")
def test_a_new_person_has_a_link_unless_none_is_wanted(ours):
    def make(**facts):
        made = ours.post("/users", {"email": f"{name()}@people.example", **facts})
        assert made.status_code == 201, made.text
        return made.json()

    first, chosen = make(), make(credential="activation_link", role="user")
    assert make(credential="none")["activation"] is None
    assert make(enabled=False)["activation"] is None
    refused = ours.post("/users", {"email": f"{name()}@people.example", "credential": "password"})
    refusal(refused, 422, "validation_failed")

    for user in (first, chosen):
        assert "activation" not in ours.get(f"/users/{user['id']}").json()
        assert follow(user["activation"]["activation_url"]) == 200
        assert ours.get(f"/users/{user['id']}").json()["has_password"] is True
        assert follow(user["activation"]["activation_url"]) == 410


@pytest.mark.spec("features G06", "features CR-6", "security 96")
def test_a_link_is_sent_by_who_may_become_that_person(programs, own, slugs, ours, theirs):
    product = programs.product
    person, above = product.person(own), product.person(own, roles=("user", "superadmin"))
    where, send = "/users/{}/password-reset", {"mode": "send_link"}

    unmarked = programs.make(own, ["users:write"], dangerous=False)
    refusal(unmarked.post(where.format(person.id), send), 401, "step_up_required")
    reader = programs.make(own, ["users:read"])
    refusal(reader.post(where.format(person.id), send), 403, "forbidden")
    refusal(theirs.post(where.format(person.id), send), 404, "not_found")
    admin = programs.for_person(own, ("admin",), ["users:write"])
    refusal(admin.post(where.format(above.id), send), 403, "forbidden")
    assert not product.rows(
        "select * from insula.activation_links where user_id = any(%s)", [person.id, above.id]
    )

    links = [
        caller.post(where.format(whose.id), send)
        for caller, whose in ((admin, person), (ours, person), (ours, above))
    ]

    assert [answer.status_code for answer in links] == [200] * 3
    urls = [answer.json()["activation_url"] for answer in links]
    assert [follow(url) for url in urls] == [410, 200, 200]
    (line, *_) = product.audit(own, "user.password_reset_sent", target_id=str(above.id))
    assert line.actor_id == ours.client_id
    assert slugs[1] not in urls[0]
    ours.post(f"/users/{person.id}/lock")
    refusal(ours.post(where.format(person.id), send), 409, "duplicate")
    assert PLATFORMS not in urls[0]


@pytest.mark.spec("features CR-4", "features CR-6", "features Z02", "features G06")
def test_a_link_is_not_shown_again_to_who_may_no_longer_have_it(programs, own):
    product, above = programs.product, programs.product.person(own, roles=("user", "superadmin"))
    caller = programs.for_person(own, ("superadmin",), ["users:write"])
    key = {"idempotency-key": name()}

    def send():
        where = f"/users/{above.id}/password-reset"
        return caller.post(where, {"mode": "send_link"}, headers=key)

    def become(role):
        sql = "update insula.user_roles set role = %s where user_id = %s and role <> 'user'"
        product.change(sql, role, caller.person.id)

    first = send()
    assert first.status_code == 200, first.text
    become("admin")
    refusal(send(), 403, "forbidden")
    become("superadmin")
    again = send()
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


@pytest.mark.spec("features CR-4", "features CR-6", "features Z02")
def test_what_took_step_up_or_a_scope_takes_it_for_the_same_answer_again(programs, own):
    caller = programs.make(own, ["users:write", "clients:write", "keys:read"])

    def twice(path, wanted):
        key = {"idempotency-key": name()}

        def send(**more):
            return caller.post(path, wanted, headers=key, **more)

        first = send()
        assert first.status_code == 201, first.text
        assert send().content == first.content
        return first, send

    _, admin = twice("/users", {"email": f"{name()}@people.example", "role": "admin"})
    first, plain = twice("/users", {"email": f"{name()}@people.example"})
    machine = {"name": "M", "type": "m2m", "scopes": ["insula:keys:read"]}
    _, strong = twice("/clients", machine)

    less = programs.token(own, caller, ["insula:users:write", "insula:clients:write"])
    refusal(strong(token=less), 403, "forbidden")
    programs.product.change(
        "update insula.clients set metadata = metadata - 'allow_dangerous_api'"
        " where client_id = %s",
        caller.client_id,
    )
    refusal(admin(), 401, "step_up_required")
    assert plain().content == first.content  # it took none
    assert strong().status_code == 201
