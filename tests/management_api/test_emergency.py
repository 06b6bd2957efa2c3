"""A key that somebody else may have: out at once, and nothing that it signed opens anything."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from callers import name, refusal


@pytest.fixture
def fresh(programs):
    slug = f"key{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def published(fresh):
    with fresh.product.http() as http:
        answer = http.get(fresh.product.url(fresh.slug, "/oauth2/jwks"))
    return {key["kid"] for key in answer.json()["keys"]}


def again(programs, fresh):
    """The same program with a token of now."""
    app = type("App", (), {"client_id": fresh.client_id, "secret": fresh.secret})
    return programs.token(fresh.slug, app, fresh.scopes)


@pytest.mark.spec("features BEY-2")
def test_what_a_revoked_key_signed_opens_nothing_and_another_signs_at_once(fresh, programs):
    kid = kid_of(fresh.token)
    assert kid in published(fresh)
    done = fresh.post("/keys/emergency", {"kid": kid, "reason": "a laptop was stolen"})
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["revoked"], told["alg"]) == (kid, "ES256")

    last = time.monotonic() + 10
    while fresh.get("/me").status_code == 200 and time.monotonic() < last:
        time.sleep(0.05)  # every process hears of it, but not in the same moment
    refusal(fresh.get("/me"), 401, "token_invalid")
    assert kid not in published(fresh)
    fresh.token = again(programs, fresh)
    assert kid_of(fresh.token) == told["signs_now"]
    assert told["signs_now"] in published(fresh)
    states = {key["kid"]: key["status"] for key in fresh.get("/keys").json()["data"]}
    assert (states[kid], states[told["signs_now"]]) == ("revoked", "active")
    (line,) = fresh.get("/audit?event=key.emergency_rotated").json()["data"]
    assert (line["target_id"], line["metadata"]["reason"]) == (kid, "a laptop was stolen")
    refusal(fresh.post("/keys/emergency", {"kid": kid, "reason": "again"}), 409, "already_retired")
    refusal(fresh.post("/keys/emergency", {"kid": name(), "reason": "x"}), 404, "not_found")


@pytest.mark.spec("features BEY-2")
def test_of_two_who_revoke_a_key_at_once_one_does_and_one_key_signs(fresh, programs):
    kid = next(
        key["kid"]
        for key in fresh.get("/keys").json()["data"]
        if (key["alg"], key["status"]) == ("RS256", "active")
    )
    wanted = {"kid": kid, "reason": "lost"}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: fresh.post("/keys/emergency", wanted), range(2)))
    assert sorted(each.status_code for each in answers) == [200, 409]
    states = [(key["alg"], key["status"]) for key in fresh.get("/keys").json()["data"]]
    assert states.count(("RS256", "active")) == 1
    assert programs.make(fresh.slug).get("/me").status_code == 200
