"""The forms that requests and answers have, whatever they are about."""

import json
import secrets
import threading

import pytest
from callers import JSON, name, refusal

from insula.kernel.crypto import seal_under
from insula.management_api import bodies, store
from insula.management_api.idempotency import Idempotency
from insula.management_api.problems import Refusal
from insula.management_api.rates import PER_MINUTE, Rates


@pytest.fixture(scope="module")
def writer(programs):
    return programs.make("_platforms")


@pytest.fixture(scope="module")
def reader(programs):
    return programs.make("_platforms")


def new_tenant():
    return {"slug": name(), "display_name": "Some Company"}


@pytest.mark.spec("features CR-2", "features Z03")
def test_what_is_nowhere_and_what_is_not_done_are_problem_documents(ours):
    refusal(ours.get("/nothing"), 404, "not_found")
    refusal(ours.get("/"), 404, "not_found")
    refused = ours.put("/me", {})
    refusal(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET"


@pytest.mark.spec("features CR-2", "security 98")
def test_a_body_with_a_field_that_is_not_there_is_refused_without_repeating_it(platform):
    loud = "<script>alert(1)</script>"
    said = refusal(
        platform.post("/tenants", {**new_tenant(), "tenant_id": loud, loud: 1, "display_name": 7}),
        422,
        "validation_failed",
    )

    assert {each["field"] for each in said["errors"]} == {"tenant_id", "?", "display_name"}
    assert "script" not in json.dumps(said)
    refused = platform.post("/tenants", {"slug": 1})
    assert refused.headers["ratelimit-policy"] == '"write";q=30;w=60'
    quiet = refusal(
        platform.post("/tenants", {**new_tenant(), "domain": f"{loud}.example"}),
        422,
        "validation_failed",
    )
    assert "script" not in json.dumps(quiet)
    bound = refusal(
        platform.post("/tenants", {**new_tenant(), "display_name": "x" * 300}),
        422,
        "validation_failed",
    )
    assert bound["errors"] == [{"field": "display_name", "code": "string_too_long", "bound": 255.0}]


@pytest.mark.spec("security 104", "features Z03")
@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", JSON, 400, "bad_request"),
        (b"\xff", JSON, 400, "bad_request"),
        (b'{"slug": "a", "slug": "b"}', JSON, 400, "bad_request"),
        (b'{"slug": NaN}', JSON, 400, "bad_request"),
        (b'{"slug": 1e999}', JSON, 400, "bad_request"),
        (b'{"slug": "a\\u0000b"}', JSON, 400, "bad_request"),
        (b'{"slug": "\\ud800"}', JSON, 400, "bad_request"),
        (b"[" * 33 + b"]" * 33, JSON, 400, "bad_request"),
        (b"[" * 200_000, JSON, 400, "bad_request"),
        (b"[]", JSON, 422, "validation_failed"),
        (b"", JSON, 422, "validation_failed"),
        (b"slug=a", "application/x-www-form-urlencoded", 415, "media_type"),
        (b"{}", "text/plain", 415, "media_type"),
        (b'"' + b"x" * bodies.LARGEST + b'"', JSON, 413, "too_large"),
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_it_should_be_is_refused(writer, body, kind, status, code):
    answer = writer.call("POST", "/tenants", content=body, headers={"content-type": kind})

    refusal(answer, status, code)


def test_a_body_as_deep_as_may_be_is_read():
    assert bodies.read(b"[" * 32 + b"]" * 32, "application/json; charset=utf-8")


def test_who_is_not_let_in_is_told_so_before_the_body_is_looked_at(ours):
    answer = ours.call("POST", "/keys/rotate", token="none", content=b"{")  # noqa: S106  (no token)

    refusal(answer, 401, "token_invalid")


def test_the_query_holds_what_the_route_knows_and_each_once(platform):
    said = refusal(platform.get("/tenants?limt=3"), 422, "validation_failed")
    assert said["errors"] == [{"field": "limt", "code": "extra_forbidden"}]
    refusal(platform.get("/tenants?limit=1&limit=2"), 400, "bad_request")
    refusal(platform.get("/tenants?limit=0"), 422, "validation_failed")
    refusal(platform.get("/tenants?limit=101"), 422, "validation_failed")
    refusal(platform.get("/tenants?sort=version"), 422, "validation_failed")
    refusal(platform.get("/tenants?q=%00"), 400, "bad_request")
    refusal(platform.get("/tenants?q=" + "x" * 9000), 400, "bad_request")
    assert platform.get("/tenants?q=%25").json()["data"] == []


@pytest.mark.spec("features CR-3", "security 109")
@pytest.mark.parametrize("sort", ["slug", "-created_at", "-users", "-last_sign_in_at"])
def test_pages_by_key_show_everything_once(reader, sort):
    seen, after, pages = [], "", 0
    while after is not None and pages < 50:
        page = reader.get(f"/tenants?limit=9&sort={sort}{after}").json()
        seen += [each["slug"] for each in page["data"]]
        after, pages = (f"&after={page['next']}" if page["has_more"] else None), pages + 1

    whole = reader.get(f"/tenants?limit=100&sort={sort}&include_count=true").json()
    assert seen[:100] == [each["slug"] for each in whole["data"]]
    assert len(seen) == len(set(seen)) == whole["count"]["value"]
    assert {"ours", "theirs", "acme"} <= set(seen)
    assert whole["count"] == {"value": len(seen), "exact": True}
    assert whole["next"] is None


@pytest.mark.spec("security 109")
def test_a_cursor_is_good_for_its_own_list_only(platform):
    cursor = platform.get("/tenants?limit=1").json()["next"]
    forged = [cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB"), "x", "é", cursor + "A" * 9]

    for wrong in forged:
        refusal(platform.get("/tenants", params={"after": wrong}), 400, "cursor_invalid")
    refusal(platform.get(f"/tenants?sort=-users&after={cursor}"), 400, "cursor_invalid")
    refusal(platform.get(f"/tenants/ours/users?after={cursor}"), 400, "cursor_invalid")
    assert platform.get(f"/tenants?after={cursor}").status_code == 200


@pytest.mark.spec("features CR-4")
def test_a_change_of_what_was_changed_meanwhile_is_refused_and_says_by_whom(platform):
    made = platform.post("/tenants", new_tenant())
    where, first = made.headers["location"].removeprefix("/api/v1"), made.headers["etag"]
    assert platform.get(where).headers["etag"] == first

    second = platform.patch(where, {"display_name": "One"}, headers={"if-match": first})
    late = platform.patch(where, {"display_name": "Two"}, headers={"if-match": first})

    assert second.status_code == 200
    assert second.headers["etag"] != first
    said = refusal(late, 412, "version_conflict")
    assert platform.client_id in said["detail"]
    nonsense = {"if-match": '"zz"'}
    refusal(
        platform.patch(where, {"display_name": "Two"}, headers=nonsense), 412, "version_conflict"
    )
    assert platform.get(where).json()["display_name"] == "One"
    for free in ({"if-match": second.headers["etag"]}, {"if-match": "*"}, {}):
        assert platform.patch(where, {"display_name": "Two"}, headers=free).status_code == 200


@pytest.mark.spec("features CR-4")
def test_a_post_with_a_key_is_done_once_and_answered_again(platform, programs):
    key, wanted = {"idempotency-key": name()}, new_tenant()

    first = platform.post("/tenants", wanted, headers=key)
    again = platform.post("/tenants", wanted, headers=key)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    said = refusal(platform.post("/tenants", new_tenant(), headers=key), 422, "validation_failed")
    assert said["errors"][0]["field"] == "Idempotency-Key"
    # another client's key of the same name is another key
    other = programs.make("_platforms")
    refusal(other.post("/tenants", wanted, headers=key), 409, "slug_taken")
    refusal(
        platform.post("/tenants", wanted, headers={"idempotency-key": "x" * 256}),
        400,
        "bad_request",
    )
    kept = programs.product.rows(
        "select answer from insula.idempotency_keys where answer is not null"
    )
    assert not any(wanted["slug"].encode() in bytes(row.answer) for row in kept)


@pytest.mark.spec("features CR-4")
def test_a_refusal_gives_the_key_back_and_a_day_frees_it(platform, programs):
    key, wanted = {"idempotency-key": name()}, new_tenant()
    refusal(
        platform.post("/tenants", {**wanted, "slug": "admin"}, headers=key), 422, "slug_reserved"
    )
    refusal(platform.post("/tenants", {**wanted, "x": 1}, headers=key), 422, "validation_failed")
    assert platform.post("/tenants", wanted, headers=key).status_code == 201

    programs.product.change("update insula.idempotency_keys set expires_at = now()")

    refusal(platform.post("/tenants", wanted, headers=key), 409, "slug_taken")


@pytest.mark.spec("features CR-4")
def test_an_answer_that_an_older_release_has_kept_is_not_given_again(programs, own):
    ledger, asked = Idempotency("a secret"), ("caller", name(), b"a request")

    async def repeat(here):
        tenant = await here.tenant(own)
        claim = await ledger.begin(tenant, *asked)
        kept = json.dumps({"status": 200, "headers": {}, "body": "{}"}).encode()
        async with tenant.transaction() as db:
            await store.keep(db, claim.id, seal_under(claim.secret, kept, claim.purpose))
        with pytest.raises(Refusal, match="can no longer be read") as refused:
            await ledger.begin(tenant, *asked)
        return refused.value.status

    assert programs.product.backstage.run(repeat) == 409


@pytest.mark.spec("features CR-4")
def test_of_two_requests_with_one_key_at_once_one_is_done(platform):
    key, wanted, answers = {"idempotency-key": name()}, new_tenant(), []
    ready = threading.Barrier(4)

    def post():
        ready.wait()
        answers.append(platform.post("/tenants", wanted, headers=key))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.content for answer in done}) == 1
    for answer in answers:
        if answer.status_code != 201:
            refusal(answer, 409, "duplicate")
            assert answer.headers["retry-after"] == "1"


@pytest.mark.spec("features Z02")
def test_calls_are_counted_by_client_and_by_what_they_do(programs, own):
    caller, other = programs.make(own), programs.make(own)
    left = []
    for _ in range(PER_MINUTE["sensitive"]):
        answer = caller.post("/keys/retire-expired")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"sensitive";q=3;w=60'
        left.append(answer.headers["ratelimit"].split(";")[1])

    refused = caller.post("/keys/retire-expired")

    assert left == ["r=2", "r=1", "r=0"]
    refusal(refused, 429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"sensitive";r=0;t=')
    assert caller.get("/keys").status_code == 200
    assert other.post("/keys/retire-expired").status_code == 200


@pytest.mark.spec("features Z02", "security 110")
async def test_a_limiter_without_its_store_still_counts():
    rates = Rates("redis://127.0.0.1:1")
    tenant, client = secrets.token_hex(4), secrets.token_hex(4)

    standings = [await rates.take(tenant, "sensitive", client) for _ in range(4)]

    assert [each.allowed for each in standings] == [True, True, True, False]


@pytest.mark.spec("features CR-2", "security 110")
def test_a_bug_tells_nothing_but_a_reference(platform, programs):
    """Because the table is away, which nobody foresaw."""
    product = programs.product
    product.change("alter table insula.idempotency_keys rename to idempotency_keys_away")
    try:
        broken = platform.post("/tenants", new_tenant(), headers={"idempotency-key": name()})
    finally:
        product.change("alter table insula.idempotency_keys_away rename to idempotency_keys")

    said = refusal(broken, 500, "server_error")
    assert "idempotency" not in json.dumps(said)
