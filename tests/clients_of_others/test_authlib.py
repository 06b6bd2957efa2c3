"""Authlib, a client library of other people, with nothing of ours told to it but an address."""

from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.core import ImplicitIDToken
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet, import_key
from joserfc.jws import extract_compact
from kinds import API, API_SCOPE, DEVICE_CODE, KINDS, REGISTERING, SCOPE
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
    key = getattr(app, "key", None)
    method = getattr(app, "method", "client_secret_basic")  # the method of the demo's
    return Application(
        Framework(),
        client_id=app.client_id,
        client_secret=app.secret or (key and import_key(app.private_jwk)),
        server_metadata_url=product.url(slug, "/.well-known/openid-configuration"),
        client_kwargs={
            "token_endpoint_auth_method": method,
            "revocation_endpoint_auth_method": method,
            "code_challenge_method": "S256",
            **client_kwargs,
        },
        client_auth_methods=[PrivateKeyJWT(alg=key.alg)] if key else None,
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
        scope=SCOPE,
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


@pytest.mark.spec("RFC8628-3.1", "RFC8628-3.5", "DV-1", "DV-5", "DV-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_person_lets_a_device_in_by_authlib(product, register, person_at_a_browser, slug):
    app = register(slug, "ES256, no secret", redirect_uris=(), grant_types=(DEVICE_CODE,))
    person, walk = person_at_a_browser(slug)
    party = application(product, slug, app, scope="openid")
    metadata = party.load_server_metadata()

    with party._get_oauth_client(**metadata) as session:  # noqa: SLF001
        waiting = session.post(
            metadata["device_authorization_endpoint"],
            data={"scope": "openid"},
            auth=session.client_auth("none"),
        ).json()

        def poll():
            code = waiting["device_code"]
            endpoint = metadata["token_endpoint"]
            return session.fetch_token(endpoint, grant_type=DEVICE_CODE, device_code=code)

        with pytest.raises(OAuthError, match="authorization_pending"):
            poll()
        with pytest.raises(OAuthError, match="slow_down"):
            poll()
        walk(waiting["verification_uri_complete"])
        product.change(
            "update insula.device_grants set last_polled_at = last_polled_at - interval '1 minute'"
            " where tenant_id = %s",
            product.tenant_id(slug),
        )
        tokens = poll()

    assert party.parse_id_token(tokens, nonce=None)["sub"] == str(person.id)


class Orders(JWTBearerTokenValidator):
    """The API that the application uses."""

    def __init__(self, party):
        metadata = party.load_server_metadata()
        super().__init__(metadata["issuer"], API)
        self._party = party

    def get_jwks(self):
        return KeySet.import_key_set(self._party.fetch_jwk_set())

    def check(self, token, scope):
        claims = self.authenticate_token(token)
        self.validate_token(claims, [scope], None)
        return claims


@pytest.mark.spec("RFC8707-2", "RFC8707-2.2", "RFC9068-2.2", "RS-1", "RS-2", "RS-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_token_is_for_the_api_that_was_named(product, register, person_at_a_browser, api, slug):
    app = register(slug, "ES256, client_secret_post", **api)
    person, walk = person_at_a_browser(slug)
    party = application(
        product,
        slug,
        app,
        scope=f"openid {API_SCOPE}",
    )

    begun = party.create_authorization_url(CALLBACK, resource=API)
    tokens = party.fetch_access_token(
        CALLBACK,
        authorization_response=walk(begun["url"]),
        state=begun["state"],
        code_verifier=begun["code_verifier"],
        resource=API,
    )

    says = Orders(party).check(tokens["access_token"], API_SCOPE)
    assert (says["sub"], says["client_id"]) == (str(person.id), app.client_id)
    with pytest.raises(InvalidTokenError):
        Orders(party).check(tokens["id_token"], API_SCOPE)


@pytest.mark.spec("OIDCC-3.2", "OIDCC-3.2.2.9")
@pytest.mark.usefixtures("own_tenants")
@pytest.mark.parametrize("slug", REGISTERING)
def test_tokens_come_straight_from_the_front(product, register, person_at_a_browser, slug):
    app = register(
        slug,
        "ES256, client_secret_post",
        profile="legacy",
        redirect_uris=("https://app.example/callback",),
        grant_types=("implicit",),
        response_types=("id_token token",),
    )
    person, walk = person_at_a_browser(slug)
    party = application(product, slug, app, scope="openid", response_type="id_token token")

    begun = party.create_authorization_url("https://app.example/callback")
    tokens = party.fetch_access_token(
        authorization_response=walk(begun["url"]), state=begun["state"]
    )

    claims = party.parse_id_token(tokens, nonce=begun["nonce"], claims_cls=ImplicitIDToken)
    assert claims["sub"] == party.userinfo(token=tokens)["sub"] == str(person.id)
    tokens["access_token"] += "x"
    with pytest.raises(InvalidClaimError, match="at_hash"):
        party.parse_id_token(tokens, nonce=begun["nonce"])
