"""A registered client manages itself over HTTP, as long as it is its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from browsing import Browser
from people import App
from product import CALLBACK, VERIFIER
from registrar import MINIMAL, nobodys
from spine import until

from insula.clients import service as clients
from insula.oidc.features.pkce import s256

#: A client that the product's own pages can be tried with.
UNCHECKED = "Nobody has checked this application"
WEB = {
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "id_token_signed_response_alg": "ES256",
}


def change(registrar, client, **changes):
    """What an administrator does."""
    registrar.run(lambda t: clients.change(t, client["client_id"], changes, development=True))


def row_of(registrar, client):
    (row,) = [row for row in registrar.clients() if row.client_id == client["client_id"]]
    return row


@pytest.mark.spec("RFC7592-2.1", "RFC7592-3", "OIDCR-4.3", "DR-10")
def test_a_client_reads_what_is_registered(initech):
    client = initech.register(client_name="Reports", policy_uri="https://app.example/privacy")

    answer = initech.at(client, "GET")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    once = {"client_secret", "client_secret_expires_at"}
    assert answer.json() == {name: value for name, value in client.items() if name not in once}


@pytest.mark.spec("RFC7592-2", "DR-10", "security row 100")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_wrong_token_a_foreign_tenant_and_an_unknown_client_are_the_same(
    initech, umbrella, method
):
    ours, neighbour, theirs = initech.register(), initech.register(), umbrella.register()
    body = {**MINIMAL, "client_id": ours["client_id"]} if method == "PUT" else None

    answers = [
        initech.at(ours, method, body, token=token, client_id=client_id)
        for client_id, token in (
            (ours["client_id"], nobodys("rat")),
            (ours["client_id"], neighbour["registration_access_token"]),
            (ours["client_id"], theirs["registration_access_token"]),
            (theirs["client_id"], theirs["registration_access_token"]),
            (nobodys("cl"), ours["registration_access_token"]),
            (ours["client_id"], initech.token()),
        )
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1
    assert initech.at(ours, "GET").status_code == umbrella.at(theirs, "GET").status_code == 200


@pytest.mark.spec("RFC7592-2", "DR-10")
def test_a_client_that_is_not_active_is_unknown(initech):
    client = initech.register()
    initech.run(
        lambda t: clients.change(t, client["client_id"], {}, status="inactive", development=True)
    )

    assert {initech.at(client, m).status_code for m in ("GET", "DELETE")} == {401}
    assert initech.replace(client).status_code == 401


@pytest.mark.spec("RFC7592-2.2", "DR-11")
def test_a_replacement_leaves_nothing_of_what_was_and_keeps_the_secret(initech):
    client = initech.register(client_name="Reports", tos_uri="https://app.example/tos")

    answer = initech.replace(client, client_name="Other", client_secret=client["client_secret"])

    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["client_name"], "tos_uri" in after) == ("Other", False)
    assert "client_secret" not in after
    assert after["client_id_issued_at"] == client["client_id_issued_at"]
    assert initech.at(client, "GET").status_code == 401
    assert initech.at(after, "GET").json()["client_name"] == "Other"


@pytest.mark.spec("RFC7592-2.2", "DR-11")
def test_a_secret_of_somebody_else_refuses_the_replacement(initech):
    client, other = initech.register(), initech.register()

    answer = initech.replace(client, client_secret=other["client_secret"])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert initech.at(client, "GET").status_code == 200


@pytest.mark.spec("RFC7592-2.2", "DR-11")
def test_secrets_come_and_go_with_the_method(initech):
    machine = {"grant_types": ["client_credentials"], "redirect_uris": []}
    client = initech.register(**machine)
    public = initech.replace(client, token_endpoint_auth_method="none").json()  # noqa: S106
    assert "client_secret" not in public

    again = initech.replace({**client, **public}, **machine).json()

    assert again["client_secret"] not in (None, client["client_secret"])
    assert again["client_secret_expires_at"] == 0
    own = {"grant_type": "client_credentials"}
    assert initech.token_endpoint(again, **own).status_code == 200
    assert initech.token_endpoint(client, **own).status_code == 401


@pytest.mark.spec("RFC7592-2.2", "DR-11")
def test_of_many_replacements_by_one_token_one_wins(initech):
    client = initech.register()

    with ThreadPoolExecutor(12) as crowd:
        answers = list(
            crowd.map(lambda n: initech.replace(client, client_name=f"Name {n}"), range(12))
        )

    assert sorted({answer.status_code for answer in answers}) == [200, 401]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert initech.at(won, "GET").json()["client_name"] == won["client_name"]


@pytest.mark.spec("RFC9700-4.11", "DR-17")
def test_who_changes_itself_has_to_be_looked_at_again(initech):
    client = initech.register(client_name="Reports")
    initech.run(lambda t: clients.verify(t, client["client_id"]))
    assert row_of(initech, client).verified_at is not None

    assert initech.replace(client, client_name="Your Bank").status_code == 200

    assert row_of(initech, client).verified_at is None


@pytest.mark.spec("RFC7592-3", "DR-13")
@pytest.mark.parametrize("act", ["adopt", "change"])
def test_what_an_administrator_took_over_neither_changes_nor_deletes_itself(initech, act):
    client = initech.register()
    if act == "adopt":
        initech.run(lambda t: clients.adopt(t, client["client_id"]))
    else:
        change(initech, client, scopes=["openid"])

    for answer in (initech.replace(client), initech.at(client, "DELETE")):
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert initech.at(client, "GET").status_code == 200
    assert row_of(initech, client).adopted_at is not None


@pytest.mark.spec("RFC7592-3", "DR-2")
def test_a_policy_that_only_another_release_understands_is_not_dropped(initech):
    client = initech.register()
    initech.product.change(
        """update insula.clients set registration_policy = '{"days": ["monday"]}'
            where client_id = %s""",
        client["client_id"],
    )

    assert initech.replace(client).status_code == 403
    assert initech.at(client, "GET").status_code == 200


@pytest.mark.spec("RFC7592-3", "DR-13")
def test_what_an_administrator_made_has_no_token_to_manage_it(initech):
    made = initech.product.app("soylent")
    client = {"client_id": made.client_id, "registration_access_token": nobodys("rat")}

    assert initech.replace(client).status_code == 401
    assert initech.at(client, "DELETE").status_code == 401


@pytest.mark.spec("RFC7592-2.3", "DR-12")
def test_where_clients_may_not_delete_themselves_they_stay(registrar):
    tenant = registrar("keeper", registration_delete=False)
    client = tenant.register()

    answer = tenant.at(client, "DELETE")

    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert tenant.at(client, "GET").status_code == 200


@pytest.mark.spec("RFC9700-4.11", "DR-17")
def test_consent_says_that_nobody_has_looked_at_it_until_somebody_has(initech):
    client = initech.register(client_name="Reports of somebody", **WEB)
    app = App(None, client["client_id"], client["client_secret"])
    url = initech.product.authorize_url("soylent", app)
    person = initech.product.person("soylent")
    with Browser() as browser:
        page = browser.sign_in(browser.open(url), person)
        assert "Reports of somebody" in page.text
        assert UNCHECKED in page.text
        initech.run(lambda t: clients.verify(t, client["client_id"]))
        # every process hears of it, but not in the same moment
        until(3, lambda: UNCHECKED not in browser.open(url).text, every=0.1)
        assert "Reports of somebody" in browser.open(url).text


@pytest.mark.spec("RFC7592-2.3", "DR-12", "security row 34")
def test_everything_of_a_client_ends_when_it_deletes_itself(initech):
    product = initech.product
    client = initech.register(**WEB)
    app = App(None, client["client_id"], client["client_secret"])
    witness = product.app("soylent", introspects_others=True)
    person = product.person("soylent")
    ask = {"scope": "openid offline_access", "prompt": "consent"}
    with Browser() as browser:
        page = browser.sign_in(browser.open(product.authorize_url("soylent", app, **ask)), person)
        tokens = product.redeem("soylent", app, allowed(browser, page)).json()
        waiting = allowed(browser, browser.open(product.authorize_url("soylent", app, **ask)))
    pushed = initech.http.post(
        "/oauth2/par",
        data={
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        },
        auth=(app.client_id, app.secret),
    ).json()
    assert {"access_token", "refresh_token"} <= tokens.keys(), tokens
    assert alive(product, witness, tokens["access_token"])

    assert initech.at(client, "DELETE").status_code == 204

    assert not alive(product, witness, tokens["access_token"])
    assert not alive(product, witness, tokens["refresh_token"])
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert initech.http.get("/oauth2/userinfo", headers=bearer).status_code == 401
    for form in (
        {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        {
            "grant_type": "authorization_code",
            "code": waiting,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        },
    ):
        answer = initech.token_endpoint(client, **form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    by_reference = {"client_id": app.client_id, "request_uri": pushed["request_uri"]}
    assert initech.http.get("/oauth2/authorize", params=by_reference).status_code == 400
    assert initech.at(client, "GET").status_code == 401
    left = product.rows(
        "select 1 from insula.grants where tenant_id = %s and user_id = %s",
        product.tenant_id("soylent"),
        person.id,
    )
    assert left == []
    (line,) = product.audit("soylent", "client.deleted", target_id=client["client_id"])
    assert (line.actor_type, line.actor_id) == ("client", client["client_id"])


def allowed(browser, page):
    """The code that comes when the person says yes."""
    return page.code if page.left is not None else browser.submit(page, "allow").code


def alive(product, witness, token):
    with product.http(auth=(witness.client_id, witness.secret)) as http:
        answer = http.post(product.url("soylent", "/oauth2/introspect"), data={"token": token})
        return answer.json()["active"]
