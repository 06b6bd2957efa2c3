"""
openid-client and oauth4webapi of npm, with nothing told to them but an address.

openid-client is certified as a relying party; oauth4webapi leaves no step to guesswork. Both
verify the signature of every id_token here, `iss` of every answer, `nonce`, `at_hash` and `state`.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from kinds import API, API_SCOPE, KINDS, REGISTERING, SCOPE
from product import CALLBACK, SIGNED_OUT, SLUGS

PROGRAMS = ("openid-client.js", "oauth4webapi.js")
#: How the request is made and which key tokens are bound to, by a kind of application each.
WAYS = {
    "signed": ("RS256, client_secret_basic", {"sign": True}),
    "pushed": ("RS256, private_key_jwt", {"push": True}),
    "bound": ("ES256, no secret", {"bind": "ES256"}),
    "all": ("ES256, private_key_jwt", {"sign": True, "push": True, "bind": "PS256"}),
}


@pytest.fixture(params=PROGRAMS)
def run(request, node):
    return node(request.param)


@pytest.fixture
def sign_on(product, person_at_a_browser, run):
    """Let a person sign on and off at an application; look at what every way has in common."""

    def sign_on(slug, app, **way):
        person, walk = person_at_a_browser(slug)
        learnt = run(
            "signOn",
            walk,
            issuer=product.issuer(slug),
            scope=SCOPE,
            redirect_uri=CALLBACK,
            post_logout_redirect_uri=SIGNED_OUT,
            **app.asked,
            **way,
        )
        assert learnt["claims"]["iss"] == product.issuer(slug)
        assert learnt["claims"]["sub"] == learnt["userinfo"]["sub"] == str(person.id)
        assert learnt["userinfo"]["email"] == person.email
        assert learnt["rotated"]
        assert learnt["same_person"]
        assert set(learnt["scope"].split()) == set(SCOPE.split())
        assert learnt["refused"] == "invalid_grant"
        assert learnt["token_type"] == ("dpop" if "bind" in way else "bearer")
        if app.method != "none":
            assert learnt["before"]["active"] is True
            assert ("cnf" in learnt["before"]) == ("bind" in way)
            assert learnt["after"] == {"active": False}
        left = urlsplit(learnt["left"])
        assert left._replace(query="").geturl() == SIGNED_OUT
        assert parse_qs(left.query) == {"state": [learnt["state"]]}

    return sign_on


@pytest.mark.spec("OIDCC-3.1", "OIDCC-9", "RFC7523-3", "CA-1", "CA-3", "CA-6")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "private_key_jwt" not in kind])
def test_a_person_signs_on_and_off(register, sign_on, slug, kind):
    sign_on(slug, register(slug, kind))


@pytest.mark.spec("JAR-4", "PAR-2.1", "PAR-4", "DPOP-5", "DPOP-10", "JR-1", "PA-1", "DP-4", "DP-5")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("way", WAYS)
def test_the_request_travels_another_way(register, sign_on, slug, way):
    kind, how = WAYS[way]
    sign_on(slug, register(slug, kind), **how)


@pytest.mark.spec("DPOP-5", "DPOP-8", "DPOP-9", "DP-4", "DP-7")
@pytest.mark.usefixtures("own_tenants")
@pytest.mark.parametrize("slug", REGISTERING)
@pytest.mark.parametrize("way", ["bound", "all"])
def test_proofs_are_made_anew_with_our_nonce(register, sign_on, slug, way):
    kind, how = WAYS[way]
    sign_on(slug, register(slug, kind), **how)


@pytest.mark.spec("RFC6749-4.4", "TK-8")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself(product, run, slug):
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
    assert (learnt["before"]["active"], learnt["before"]["client_id"]) == (True, app.client_id)
    assert learnt["after"] == {"active": False}


@pytest.mark.spec("RFC8707-2", "RFC9068-2.1", "RFC9068-2.2", "RS-1", "RS-2", "RS-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_token_is_for_the_api_that_was_named(
    product, register, person_at_a_browser, api, run, node, slug
):
    app = register(slug, "ES256, private_key_jwt", **api)
    person, walk = person_at_a_browser(slug)
    issuer = product.issuer(slug)

    learnt = run(
        "useApi",
        walk,
        issuer=issuer,
        scope=f"openid offline_access {API_SCOPE}",
        resource=API,
        redirect_uri=CALLBACK,
        **app.asked,
    )

    for token in learnt["tokens"]:
        says = node("oauth4webapi.js")("beAnApi", issuer=issuer, resource=API, token=token)
        assert (says["aud"], says["sub"]) == (API, str(person.id))
        assert (says["client_id"], says["scope"]) == (app.client_id, API_SCOPE)
