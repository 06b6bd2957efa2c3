"""What openid-client, oauth4webapi and jose of npm do beside signing people on."""

import pytest
from kinds import DEVICE_CODE, REGISTERING, SCOPE, Application, own_key
from notices import notice_of_logout
from product import CALLBACK, SIGNED_OUT, SLUGS

#: How an application that registers itself proves itself.
SELF_MADE = {
    "client_secret_post": {},
    "private_key_jwt": {"jwks": {"keys": [own_key("ES256").jwk]}},
    "none": {},
}


@pytest.fixture(params=["openid-client.js", "oauth4webapi.js"])
def run(request, node):
    return node(request.param)


@pytest.mark.spec("RFC8628-3.1", "RFC8628-3.2", "RFC8628-3.5", "DV-1", "DV-2", "DV-5", "DV-6")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("way", [{}, {"bind": "ES256"}], ids=["bearer", "bound"])
def test_a_person_lets_a_device_in(product, register, person_at_a_browser, run, slug, way):
    app = register(
        slug,
        "ES256, no secret",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=(DEVICE_CODE, "refresh_token"),
    )
    person, walk = person_at_a_browser(slug)

    learnt = run(
        "watch", walk, issuer=product.issuer(slug), scope="openid profile", **app.asked, **way
    )

    assert learnt["userinfo"]["sub"] == str(person.id)
    assert learnt["token_type"] == ("dpop" if way else "bearer")
    assert learnt["waiting"]["interval"] == 5


@pytest.mark.spec("OIDCR-3.1", "OIDCR-3.2", "RFC7591-3.2.1", "RFC7592-2.1", "DR-1", "DR-9", "DR-10")
@pytest.mark.parametrize("slug", REGISTERING)
@pytest.mark.parametrize("method", SELF_MADE)
def test_an_application_registers_itself(
    product, own_tenants, initial_token, person_at_a_browser, run, slug, method
):
    assert slug in own_tenants
    person, walk = person_at_a_browser(slug)
    metadata = {
        "client_name": "Made by itself",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [SIGNED_OUT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": method,
        "id_token_signed_response_alg": "ES256",
        "scope": SCOPE,
        **SELF_MADE[method],
    }

    learnt = run(
        "registerItself",
        walk,
        issuer=product.issuer(slug),
        metadata=metadata,
        initial_access_token=initial_token(slug),
        key=Application("", None, method, "ES256").private_jwk,
        scope=SCOPE,
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
    )

    told, read, used = learnt["told"], learnt["read"], learnt["used"]
    assert ("client_secret" in told) == (method == "client_secret_post")
    for name, value in metadata.items():
        assert read[name] == told[name] == value, name
    assert "client_secret" not in read
    assert used["claims"]["aud"] == told["client_id"]
    assert used["userinfo"]["sub"] == str(person.id)
    assert used["left"] == f"{SIGNED_OUT}?state={used['state']}"


@pytest.mark.spec("OIDCC-3.2")
@pytest.mark.usefixtures("own_tenants")
@pytest.mark.parametrize("slug", REGISTERING)
def test_an_id_token_comes_straight_from_the_front(
    product, register, person_at_a_browser, node, slug
):
    app = register(
        slug,
        "ES256, client_secret_post",
        profile="legacy",
        redirect_uris=("https://app.example/callback",),
        grant_types=("implicit",),
        response_types=("id_token",),
    )
    person, walk = person_at_a_browser(slug)

    learnt = node("openid-client.js")(
        "signOnInFront",
        walk,
        issuer=product.issuer(slug),
        scope="openid",
        redirect_uri="https://app.example/callback",
        **app.asked,
    )

    assert learnt["claims"]["sub"] == str(person.id)


@pytest.mark.spec("OIDCBCL-2.4", "OIDCBCL-2.6", "LO-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_jose_believes_the_notice_of_a_logout(product, register, node, slug):
    app = register(
        slug, "RS256, client_secret_basic", backchannel_logout_uri="https://app.example/out"
    )
    person, sid, token = notice_of_logout(product, slug, app)

    learnt = node("jose.js")(
        "hearOfLogout",
        issuer=product.issuer(slug),
        audience=app.client_id,
        alg=app.alg,
        token=token,
    )

    assert learnt["event"] == {}
    assert (learnt["claims"]["sub"], learnt["claims"]["sid"]) == (str(person.id), sid)
