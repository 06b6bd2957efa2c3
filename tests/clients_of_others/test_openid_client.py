"""openid-client of npm, certified as a relying party, with nothing told to it but an address."""

from urllib.parse import parse_qs, urlsplit

import pytest
from kinds import KINDS
from product import CALLBACK, SIGNED_OUT, SLUGS


@pytest.fixture
def run(node):
    return node("openid-client.js")


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_person_signs_on_and_off_by_openid_client(
    product, register, person_at_a_browser, run, slug, kind
):
    method, alg = KINDS[kind]
    app = register(slug, kind)
    person, walk = person_at_a_browser(slug)

    learnt = run(
        "signOn",
        walk,
        issuer=product.issuer(slug),
        client_id=app.client_id,
        client_secret=app.secret,
        method=method,
        alg=alg,
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
    )

    assert learnt["claims"]["iss"] == product.issuer(slug)
    assert learnt["claims"]["sub"] == learnt["userinfo"]["sub"] == str(person.id)
    assert learnt["userinfo"]["email"] == person.email
    assert learnt["rotated"]
    assert learnt["same_person"]
    assert set(learnt["scope"].split()) == {"openid", "profile", "email", "offline_access"}
    assert learnt["refused"] == "invalid_grant"
    if method != "none":
        assert learnt["before"]["active"] is True
        assert learnt["after"] == {"active": False}
    left = urlsplit(learnt["left"])
    assert left._replace(query="").geturl() == SIGNED_OUT
    assert parse_qs(left.query) == {"state": [learnt["state"]]}


@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself_by_openid_client(product, run, slug):
    app = product.demo_app(slug, "machine")

    learnt = run(
        "actForItself",
        issuer=product.issuer(slug),
        client_id=app.client_id,
        client_secret=app.secret,
        method="client_secret_basic",
        alg="RS256",
        scope="reports:read",
    )

    assert learnt["scope"] == "reports:read"
    assert learnt["before"]["active"] is True
    assert learnt["before"]["client_id"] == app.client_id
    assert learnt["after"] == {"active": False}
