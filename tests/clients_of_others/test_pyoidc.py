"""pyoidc, the oldest of the relying parties, with nothing told to it but an address."""

from urllib.parse import urlsplit

import pytest
from kinds import API_SCOPE, KINDS, REGISTERING, SCOPE
from notices import notice_of_logout
from oic.exception import NotForMe
from oic.extension.client import Client as ExtensionClient
from oic.oauth2.message import CCAccessTokenRequest, ErrorResponse
from oic.oic import Client
from oic.oic.message import (
    AuthorizationResponse,
    BackChannelLogoutRequest,
    OpenIDSchema,
    RegistrationResponse,
)
from oic.utils.authn.client import CLIENT_AUTHN_METHOD
from product import CALLBACK, SIGNED_OUT, SLUGS

pytestmark = pytest.mark.usefixtures("names_under_localhost")

IN_FRONT = "https://app.example/callback"
#: What the library can renew tokens by: with a key of its own it cannot.
WITH_SECRET = {kind: how for kind, how in KINDS.items() if "secret_" in how[0]}


class Party:
    """An application on pyoidc."""

    def __init__(self, issuer, app=None, client=Client):
        self.client = client(client_authn_method=CLIENT_AUTHN_METHOD)
        self.client.config["code_challenge"] = {"length": 64, "method": "S256"}
        self.metadata = self.client.provider_config(issuer)
        if app is not None:
            self.use(app)

    def use(self, app):
        self.client.keyjar.import_jwks({"keys": [app.private_jwk]}, "")
        registered = RegistrationResponse(
            client_id=app.client_id,
            redirect_uris=[CALLBACK],
            token_endpoint_auth_method=app.method,
            id_token_signed_response_alg=app.alg,
        )
        if app.secret:
            registered["client_secret"] = app.secret
        self.client.store_registration_info(registered)
        self.method, self.alg = app.method, app.alg

    def ask(self, walk, how=None, **more):
        """A person signs in and allows; the answer, and the verifier that belongs to a code."""
        challenge, verifier = self.client.add_code_challenge()
        asked = self.client.construct_AuthorizationRequest(
            request_args={
                "response_type": "code",
                "scope": SCOPE.split(),
                "redirect_uri": CALLBACK,
                "state": "a-state",
                "nonce": "a-nonce",
                **challenge,
                **more,
            },
            **how or {},
        )
        parts = urlsplit(walk(asked.request(self.client.authorization_endpoint)))
        answer = self.client.parse_response(
            AuthorizationResponse,
            info=parts.query or parts.fragment,
            sformat="urlencoded",
            keyjar=self.client.keyjar,
            iss=self.metadata["issuer"],
        )
        assert isinstance(answer, AuthorizationResponse), answer
        assert answer["state"] == "a-state"
        return answer, verifier

    def redeem(self, answer, verifier):
        return self.client.do_access_token_request(
            state=answer["state"],
            request_args={"code": answer["code"], "redirect_uri": CALLBACK},
            extra_args={"code_verifier": verifier},
            authn_method=self.method,
            algs={"sign": self.alg},
            algorithm=self.alg,
        )

    def refresh(self, state):
        return self.client.do_access_token_refresh(state=state, authn_method=self.method)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", WITH_SECRET)
def test_a_person_signs_on_and_off_by_pyoidc(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    party = Party(product.issuer(slug), register(slug, kind))

    answer, verifier = party.ask(walk, prompt="consent")
    tokens = party.redeem(answer, verifier)
    claims = tokens["id_token"]
    userinfo = party.client.do_user_info_request(method="GET", state="a-state")

    assert party.metadata["issuer"] == answer["iss"] == claims["iss"] == product.issuer(slug)
    assert claims["nonce"] == "a-nonce"
    assert claims.jws_header["alg"] == party.alg
    assert isinstance(userinfo, OpenIDSchema), userinfo
    assert claims["sub"] == userinfo["sub"] == str(person.id)
    assert userinfo["email"] == person.email

    renewed = party.refresh("a-state")
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert renewed["id_token"]["sub"] == claims["sub"]

    spent = party.redeem(answer, verifier)
    assert isinstance(spent, ErrorResponse)
    assert spent["error"] == "invalid_grant"

    leaving = party.client.construct_EndSessionRequest(
        state="a-state",
        request_args={"post_logout_redirect_uri": SIGNED_OUT, "state": "a-state"},
    )
    left = walk(leaving.request(party.client.end_session_endpoint))
    assert left == f"{SIGNED_OUT}?state=a-state"


@pytest.mark.spec("OIDCC-9", "RFC7523-3", "CA-3")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", ["ES256, private_key_jwt", "RS256, private_key_jwt"])
def test_a_code_is_redeemed_with_a_key(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    party = Party(product.issuer(slug), register(slug, kind))

    tokens = party.redeem(*party.ask(walk))

    assert tokens["id_token"]["sub"] == str(person.id)


@pytest.mark.spec("OIDCC-6.1", "JAR-4", "JR-1", "JR-4")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", ["ES256, client_secret_post", "RS256, client_secret_basic"])
def test_a_request_is_signed_by_pyoidc(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    app = register(slug, kind, profile="standard")  # where what is outside of it counts too
    party = Party(product.issuer(slug), app)

    answer = party.ask(walk, {"request_method": "parameter", "request_object_signing_alg": app.alg})

    assert party.redeem(*answer)["id_token"]["sub"] == str(person.id)


@pytest.mark.spec("OIDCC-3.2", "OIDCC-3.2.2.9")
@pytest.mark.usefixtures("own_tenants")
@pytest.mark.parametrize("slug", REGISTERING)
@pytest.mark.parametrize("response_type", ["id_token", "id_token token"])
def test_tokens_come_straight_from_the_front(
    product, register, person_at_a_browser, slug, response_type
):
    person, walk = person_at_a_browser(slug)
    app = register(
        slug,
        "ES256, client_secret_post",
        profile="legacy",
        redirect_uris=(IN_FRONT,),
        grant_types=("implicit",),
        response_types=(response_type,),
    )
    party = Party(product.issuer(slug), app)

    answer, _ = party.ask(walk, response_type=response_type, redirect_uri=IN_FRONT, scope="openid")

    assert answer["id_token"]["sub"] == str(person.id)
    assert ("at_hash" in answer["id_token"]) == ("access_token" in answer)


@pytest.mark.spec("OIDCR-3.1", "OIDCR-3.2", "RFC7592-2.1", "DR-1", "DR-9", "DR-10")
@pytest.mark.usefixtures("own_tenants")
def test_an_application_registers_itself_by_pyoidc(product, person_at_a_browser):
    person, walk = person_at_a_browser("wonka")
    party = Party(product.issuer("wonka"))
    client = party.client
    client.base_url = "https://app.example/"
    method, alg = KINDS["ES256, client_secret_post"]

    told = client.register(
        client.registration_endpoint,
        redirect_uris=[CALLBACK],
        response_types=["code"],
        id_token_signed_response_alg=alg,
        token_endpoint_auth_method=method,
    )
    party.method, party.alg = method, alg

    assert client.registration_read()["client_id"] == told["client_id"]
    tokens = party.redeem(*party.ask(walk, scope="openid"))
    assert tokens["id_token"]["sub"] == str(person.id)


@pytest.mark.spec("RFC6749-4.4", "RFC7662-2.2", "RFC7009-2.1", "TK-8", "IN-2", "RV-1", "RS-3")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself_by_pyoidc(product, register, api, slug):
    app = register(
        slug,
        "ES256, client_secret_post",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=("client_credentials",),
        resources=api["resources"],
        scopes=(API_SCOPE,),
    )
    party = Party(product.issuer(slug), app, ExtensionClient)
    client = party.client

    token = client.do_any(
        CCAccessTokenRequest,
        endpoint=client.token_endpoint,
        request_args={"scope": [API_SCOPE]},
        response=None,
        authn_method=app.method,
    ).json()["access_token"]

    def introspect():
        return client.do_token_introspection(
            request_args={"token": token},
            authn_method=app.method,
        ).to_dict()

    assert introspect()["client_id"] == app.client_id
    revoked = client.do_token_revocation(request_args={"token": token}, authn_method=app.method)
    assert revoked == 200
    assert introspect() == {"active": False}


@pytest.mark.spec("OIDCBCL-2.4", "OIDCBCL-2.6", "LO-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_pyoidc_believes_the_notice_of_a_logout(product, register, slug):
    app = register(
        slug, "RS256, client_secret_basic", backchannel_logout_uri="https://app.example/out"
    )
    person, sid, token = notice_of_logout(product, slug, app)
    party = Party(product.issuer(slug), app)
    own = {"iss": party.metadata["issuer"], "keyjar": party.client.keyjar}

    notice = BackChannelLogoutRequest(logout_token=token)
    assert notice.verify(aud=app.client_id, **own)

    assert (notice["logout_token"]["sub"], notice["logout_token"]["sid"]) == (str(person.id), sid)
    with pytest.raises(NotForMe):
        BackChannelLogoutRequest(logout_token=token).verify(aud="somebody-else", **own)
