"""Who knows the published keys, told over the API, and a promotion that is held up."""

import secrets

import pytest
from callers import refusal

pytestmark = pytest.mark.spec("features BEY-2")


@pytest.fixture
def fresh(programs):
    slug = f"ado{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


def see(fresh, client, kid="an-old-key"):
    fresh.product.change(
        "insert into insula.key_adoption (tenant_id, client_id, how, alg, kid, last_seen)"
        " values (%s, %s, 'fetched', 'ES256', %s, now())"
        " on conflict (tenant_id, client_id, how, alg) do update set kid = excluded.kid",
        fresh.product.tenant_id(fresh.slug), client, kid,
    )  # fmt: skip


def made(fresh, **settings):
    answer = fresh.post("/clients", {"name": "Ledger", "type": "m2m", **settings})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_adoption_is_told_page_by_page_and_an_important_one_holds_a_promotion_up(fresh, programs):
    quiet, seen = made(fresh), made(fresh)
    assert seen["settings"]["important"] is False
    change = fresh.patch(f"/clients/{seen['id']}", {"important": True})
    assert change.json()["settings"]["important"] is True
    see(fresh, seen["id"])
    (kid,) = [
        key["kid"] for key in fresh.post("/keys/rotate", {"algorithms": ["ES256"]}).json()["data"]
    ]
    path = f"/keys/{kid}/promote"
    refusal(fresh.post(path, {"override_reason": "hurry"}), 409, "adoption_behind")  # too early
    fresh.product.change(
        "update insula.signing_keys set published_at = published_at - interval '601 s'"
        " where tenant_id = %s and kid = %s",
        fresh.product.tenant_id(fresh.slug), kid,
    )  # fmt: skip

    told, after = {}, ""
    while after is not None:
        page = fresh.get(f"/keys/adoption?limit=1{after and '&after=' + after}").json()
        (line,) = page["data"]
        told[line["client_id"]] = line
        after = page["next"]
    assert len(told) == 3  # the caller too
    assert told[quiet["client_id"]] | {"id": 0} == {
        "id": 0, "client_id": quiet["client_id"], "name": "Ledger", "important": False,
        "behind": None, "seen": [],
    }  # fmt: skip
    line = told[seen["client_id"]]
    assert (line["important"], line["behind"]) == (True, True)
    assert [(s["kid"], s["alg"], s["how"]) for s in line["seen"]] == [
        ("an-old-key", "ES256", "fetched")
    ]
    refusal(fresh.get("/keys/adoption?after=abc"), 400, "cursor_invalid")

    said = refusal(fresh.post(path), 409, "adoption_behind")
    assert seen["client_id"] in said["detail"]
    another = programs.make(fresh.slug)  # one program may do a handful of such acts a minute
    refusal(another.post(path, {"override_reason": ""}), 422, "validation_failed")
    done = another.post(path, {"override_reason": "its vendor is gone"})
    assert (done.status_code, done.json()["status"]) == (200, "active")
    (line,) = fresh.get("/audit?event=key.promoted").json()["data"]
    assert line["metadata"]["override"] == "its vendor is gone"
    assert line["metadata"]["behind"] == [seen["client_id"]]


def test_who_knows_the_key_holds_nothing_up_and_other_tenants_are_not_told_of(fresh, programs):
    seen = made(fresh, important=True)
    (kid,) = [
        key["kid"] for key in fresh.post("/keys/rotate", {"algorithms": ["ES256"]}).json()["data"]
    ]
    fresh.product.change(
        "update insula.signing_keys set published_at = published_at - interval '601 s'"
        " where tenant_id = %s and kid = %s",
        fresh.product.tenant_id(fresh.slug), kid,
    )  # fmt: skip
    see(fresh, seen["id"], kid)
    lines = fresh.get("/keys/adoption").json()["data"]
    assert {line["client_id"]: line["behind"] for line in lines}[seen["client_id"]] is False
    assert fresh.post(f"/keys/{kid}/promote").json()["status"] == "active"

    other = programs.make("acme", ["keys:read"])
    told = other.get("/keys/adoption?limit=100").json()["data"]
    assert seen["client_id"] not in {line["client_id"] for line in told}
    refusal(programs.make("acme", ["users:read"]).get("/keys/adoption"), 403, "forbidden")
