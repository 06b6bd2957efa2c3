"""Authlib, a client library of other people, with nothing of ours told to it but an address."""

from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from joserfc.jws import extract_compact
from kinds import KINDS
from product import CALLBACK, SIGNED_OUT, SLUGS
from requests.adapters import HTTPAdapter


class ToThisMachine(HTTPAdapter):
    """`*.localhost` is 127.0.0.1, which Python leaves to the resolver; Host stays as it was."""

    def send(self, request, **options):
        parts = urlsplit(request.url)
        asked = request.url
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
        response = super().send(request, **options)
        response.url = request.url = asked
        return response


class Session(OAuth2Session):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.mount("http://", ToThisMachine())


class Framework:
    """Where Authlib keeps renewed tokens; this application keeps its own."""

    def update_token(self, token, **_):
        pass


class Application(OAuth2Mixin, OpenIDMixin, BaseApp):
    client_cls = Session


@pytest.fixture(autouse=True)
def _development(monkeypatch):
    """Development speaks http, which Authlib otherwise refuses."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def application(product, slug, app, **client_kwargs):
    return Application(
        Framework(),
        client_id=app.client_id,
        client_secret=app.secret,
        server_metadata_url=product.url(slug, "/.well-known/openid-configuration"),
        client_kwargs=client_kwargs,
    )


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_person_signs_on_and_off_by_authlib(product, register, person_at_a_browser, slug, kind):
    method, alg = KINDS[kind]
    person, walk = person_at_a_browser(slug)
    party = application(
        product,
        slug,
        register(slug, kind),
        scope="openid profile email offline_access",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
    )

    begun = party.create_authorization_url(CALLBACK, prompt="consent")
    arrived = walk(begun["url"])
    tokens = party.fetch_access_token(
        CALLBACK,
        authorization_response=arrived,
        state=begun["state"],
        code_verifier=begun["code_verifier"],
    )
    claims = party.parse_id_token(tokens, nonce=begun["nonce"])
    userinfo = party.userinfo(token=tokens)

    assert parse_qs(urlsplit(arrived).query)["iss"] == [product.issuer(slug)]
    assert claims["iss"] == product.issuer(slug)
    assert claims["sub"] == userinfo["sub"] == str(person.id)
    assert userinfo["email"] == person.email
    assert extract_compact(tokens["id_token"].encode()).headers()["alg"] == alg

    with party._get_oauth_client(**party.server_metadata) as session:  # noqa: SLF001
        metadata = party.server_metadata
        renewed = session.refresh_token(metadata["token_endpoint"], tokens["refresh_token"])
        assert renewed["refresh_token"] != tokens["refresh_token"]
        assert party.parse_id_token(renewed, nonce=None)["sub"] == claims["sub"]

        def introspect(token):
            return session.introspect_token(metadata["introspection_endpoint"], token).json()

        if method != "none":
            found = introspect(renewed["access_token"])
            assert found["active"] is True
            assert found["sub"] == claims["sub"]
        revoked = session.revoke_token(
            metadata["revocation_endpoint"], renewed["refresh_token"], "refresh_token"
        )
        assert revoked.status_code == 200
        if method != "none":
            assert introspect(renewed["access_token"]) == {"active": False}
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"], renewed["refresh_token"])

    leaving = party.create_logout_url(SIGNED_OUT, id_token_hint=tokens["id_token"])
    assert walk(leaving["url"]) == f"{SIGNED_OUT}?state={leaving['state']}"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself_by_authlib(product, slug):
    app = product.demo_app(slug, "machine")
    party = application(product, slug, app, scope="reports:read")
    metadata = party.load_server_metadata()

    with party._get_oauth_client(**metadata) as session:  # noqa: SLF001
        tokens = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        assert tokens["scope"] == "reports:read"
        token, endpoint = tokens["access_token"], metadata["introspection_endpoint"]
        found = session.introspect_token(endpoint, token).json()
        assert (found["active"], found["client_id"]) == (True, app.client_id)
        session.revoke_token(metadata["revocation_endpoint"], token)
        assert session.introspect_token(endpoint, token).json() == {"active": False}


def test_a_code_of_one_tenant_is_worth_nothing_to_the_same_application_at_another(
    product, person_at_a_browser
):
    parties = {
        slug: application(
            product,
            slug,
            product.demo_app(slug, "web"),
            scope="openid",
            code_challenge_method="S256",
        )
        for slug in SLUGS
    }
    _, walk = person_at_a_browser("acme")
    begun = parties["acme"].create_authorization_url(CALLBACK)
    arrived = walk(begun["url"])

    with pytest.raises(OAuthError, match="invalid_grant"):
        parties["globex"].fetch_access_token(
            CALLBACK,
            authorization_response=arrived,
            state=begun["state"],
            code_verifier=begun["code_verifier"],
        )
