"""What the platform decides through one process is in force on every other, with Valkey or not."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from browsing import Browser
from spine import FAST, Api, until

from insula.tenancy.models import PLATFORMS

#: What is looked at is that it takes effect, and by which way; how fast is measured by the bench.
PATIENCE = 15


class Runner:
    """A program of the platform that calls the management API of one server."""

    def __init__(self, house, app, port):
        self._http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": house.server.host("platform")},
            timeout=30,
        )
        form = {"grant_type": "client_credentials", "scope": " ".join(app.scopes)}
        answer = self._http.post(
            "/oauth2/token", data=form, auth=(app.client_id, app.secret)
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        self._http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method, path, said):
        answer = self._http.request(method, f"/api/v1{path}", json=said, headers={"if-match": "*"})
        assert answer.is_success, answer.text


class Program:
    def __init__(self, made, scopes):
        self.client_id, self.secret, self.scopes = made.client_id, made.secret, scopes


@pytest.fixture(scope="module")
def program(house):
    scopes = ("insula:cross-tenant:write", "insula:tenants:write")
    made = house.app(
        PLATFORMS,
        grant_types=("client_credentials",),
        redirect_uris=(),
        post_logout_redirect_uris=(),
        scopes=scopes,
        allow_dangerous_api=True,
    )
    return Program(made, scopes)


@pytest.fixture
def servers(alive, second):
    """The ports of both: a house of four processes, and one process of its own."""
    return alive.server.port, second.port


@pytest.fixture
def lifetimes(house, servers):
    """How long a token of Acme's own lives, as each of the servers issues it."""
    app = house.app("acme", grant_types=("client_credentials",), **FAST)
    apis = [Api(house, "acme", app, port=port) for port in servers]

    def lifetimes():
        return {api.own_token().json()["expires_in"] for api in apis for _ in range(3)}

    assert lifetimes() == {600}
    return lifetimes


@pytest.mark.spec("features C05", "features C07", "features CR-7")
@pytest.mark.parametrize("events", [True, False], ids=["with events", "by the poll"])
def test_a_default_and_a_bound_set_at_one_process_hold_at_the_other(
    alive, program, servers, lifetimes, events
):
    runners = [Runner(alive, program, port) for port in servers]
    if not events:
        alive.valkey.kill()

    try:
        runners[0].send("PUT", "/platform/defaults/oidc.ttl", {"client_credentials": 300})
        until(PATIENCE, lambda: lifetimes() == {300})
        runners[1].send("PUT", "/platform/bounds/oidc.ttl", {"client_credentials": 120})
        until(PATIENCE, lambda: lifetimes() == {120})
    finally:
        runners[1].send("PUT", "/platform/bounds/oidc.ttl", {})
        runners[0].send("PUT", "/platform/defaults/oidc.ttl", {})
    until(PATIENCE, lambda: lifetimes() == {600})


@pytest.mark.spec("features A18", "features CR-7")
def test_a_suspension_ends_a_sign_in_that_is_under_way_at_both(alive, program, servers):
    slug = "ending"
    alive.tenant(slug)
    app, ada = alive.app(slug, **FAST), alive.person(slug)
    with Browser() as browser:
        page = browser.open(alive.authorize_url(slug, app))
        (txn,) = parse_qs(urlsplit(page.url).query)["txn"]
        cookie = browser.cookie(page.url, "insula_browser")
        form = {**page.form.values, "username": ada.username, "password": ada.password}

    def post(port):
        headers = {"host": alive.server.host(slug), "cookie": f"insula_browser={cookie}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as http:
            shown = http.get("/sign-in", params={"txn": txn})
            sent = None
            if shown.status_code == 403:
                sent = http.post("/sign-in", params={"txn": txn}, data=form)
        return shown, sent

    def once_over(port):
        """What all processes say once they have heard; each call meets one of the four."""
        met = []

        def is_over():
            met[:] = [post(port) for _ in range(12)]
            return all(sent is not None and sent.status_code == 403 for _, sent in met)

        until(PATIENCE, is_over)
        return met

    assert [post(port)[0].status_code for port in servers] == [200, 200]

    Runner(alive, program, servers[1]).send(
        "POST", f"/tenants/{slug}/status", {"status": "suspended", "reason": "a test"}
    )

    for shown, sent in (answers for port in servers for answers in once_over(port)):
        assert "insula_session" not in sent.headers.get("set-cookie", "")
        assert "tenant_not_active" in shown.text + sent.text
    assert not alive.rows("select from insula.sessions where tenant_id = %s", alive.tenant_id(slug))
