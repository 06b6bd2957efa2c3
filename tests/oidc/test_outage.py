"""What is said when something is away, and when nobody foresaw it (AZ-10, R 110)."""

import pytest
from oidc_world import basic, bearer, call
from test_authorize_errors import is_page, is_told

from insula.kernel.errors import Unavailable


@pytest.fixture
async def everything(world, web):
    """A request to each endpoint, good as long as the host is there."""
    browser = world.signed_in()
    tokens = await world.tokens(web, browser, scope="openid offline_access")
    txn = world.txn(await browser.authorize(web, prompt="login"))
    code = await world.code(web, browser)
    programs = {
        "code": lambda: world.redeem(web, code),
        "refresh": lambda: world.refresh(web, tokens["refresh_token"]),
        "client": lambda: world.token(web, grant_type="client_credentials"),
        "userinfo": lambda: world.userinfo(tokens["access_token"]),
        "introspect": lambda: world.introspect(web, tokens["access_token"]),
        "revoke": lambda: world.revoke(web, tokens["access_token"]),
    }
    pages = {
        "authorize": lambda: browser.authorize(web),
        "silent": lambda: browser.authorize(web, prompt="none"),
        "refused": lambda: browser.authorize(web, scope="banana"),
        "resume": lambda: browser.resume(txn),
        "logout": lambda: browser.go("/oauth2/logout"),
    }
    return programs, pages


@pytest.mark.spec("RFC6749-4.1.2.1", "AZ-10", "AZ-11")
async def test_an_outage_is_a_503_with_a_time_and_nothing_has_happened(world, everything):
    programs, pages = everything
    world.host.wire.is_cut = True

    for go in programs.values():
        answer = await go()
        assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
        assert answer.headers["retry-after"] == "7"
        assert "database" not in answer.text
    assert is_told(await pages.pop("silent")(), "temporarily_unavailable")
    for go in pages.values():
        answer = await go()
        assert is_page(answer, 503)
        assert answer.headers["retry-after"] == "7"
        assert "database" not in answer.text

    world.host.wire.is_cut = False
    assert {(await go()).status for go in programs.values()} == {200}


@pytest.mark.spec("RFC6749-4.1.2.1", "AZ-10")
async def test_whoever_was_seen_to_be_signed_in_takes_the_news_to_the_client(
    world, web, monkeypatch
):
    async def gone(*_args):
        raise Unavailable("away", retry_after=7)

    browser = world.signed_in()
    txn = world.txn(await browser.authorize(web, prompt="consent"))
    monkeypatch.setattr(world.host.tokens, "issue_code", gone)
    monkeypatch.setattr(world.host.people, "ask", gone)

    assert is_told(await browser.authorize(web), "temporarily_unavailable")
    assert is_told(await browser.resume(txn), "temporarily_unavailable")

    assert is_page(await world.browser().authorize(web), 503)


@pytest.mark.spec("RFC8414-6.2", "DI-5")
async def test_documents_are_served_through_an_outage(world):
    world.host.wire.is_cut = True

    for path in ("/.well-known/openid-configuration", "/oauth2/jwks"):
        assert (await call(world.provider, "GET", path)).status == 200


async def test_a_bug_says_a_reference_and_nothing_else(world, everything, monkeypatch):
    programs, pages = everything

    async def break_down(_name):
        raise RuntimeError("select secret from insula.users")

    monkeypatch.setattr(world.host.wire, "trip", break_down)

    for go in programs.values():
        answer = await go()
        assert (answer.status, answer.json["error"]) == (500, "server_error")
        assert answer.json["request_id"] == "req-1"
        assert answer.headers["cache-control"] == "no-store"
        assert "select" not in answer.text
    for go in pages.values():
        answer = await go()
        assert is_page(answer, 500)
        assert "req-1" in answer.text
        assert "select" not in answer.text


async def test_a_bug_is_told_to_the_log(world, web, monkeypatch, log):
    monkeypatch.setattr(world.host.tokens, "find_issue", None)

    await world.userinfo((await world.tokens(web))["access_token"])

    (line,) = [line for line in log() if line["event"] == "oidc.bug"]
    assert "TypeError" in line["exception"]


async def test_a_refusal_is_told_to_the_log_with_its_detail_and_no_secret(world, web, log):
    code = await world.code(web)
    await world.redeem(web, code)
    await world.redeem(web, code)

    lines = log()
    (refused,) = [line for line in lines if line["event"] == "oidc.refused"]
    assert "consumed" in refused["detail"]
    assert refused["request_id"] == "req-1"
    assert code not in str(lines)


async def test_without_an_edge_the_engine_works_all_the_same(world, web):
    token = (await world.tokens(web))["access_token"]
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    name, value = bearer(token)
    await world.provider(
        {
            "type": "http",
            "method": "GET",
            "path": "/oauth2/userinfo",
            "query_string": b"",
            "headers": [(name.encode(), value.encode())],
        },
        receive,
        send,
    )

    assert sent[0]["status"] == 200


async def test_the_caller_is_known_to_the_host(world, web, monkeypatch):
    seen = []

    async def remember(_client_id, caller):
        seen.append(caller)

    monkeypatch.setattr(world.host.clients, "refuse_flood", remember)

    agent = ("user-agent", "x" * 2000)
    await world.token(web, headers=[basic(web.client_id), agent], grant_type="client_credentials")

    assert (seen[0].ip, seen[0].request_id) == ("192.0.2.7", "req-1")
    assert seen[0].user_agent == "x" * 512
