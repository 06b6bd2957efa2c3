"""pyoidc, the oldest of the relying parties, with nothing told to it but an address."""

from urllib.parse import urlsplit

import pytest
from kinds import KINDS
from oic.oauth2.message import ErrorResponse
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, OpenIDSchema, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD
from product import CALLBACK, SIGNED_OUT, SLUGS

pytestmark = pytest.mark.usefixtures("names_under_localhost")

SCOPES = ["openid", "profile", "email", "offline_access"]
#: What the library can prove itself by.
CONFIDENTIAL = {kind: how for kind, how in KINDS.items() if how[0] != "none"}


class Party:
    """An application on pyoidc."""

    def __init__(self, issuer, app, method, alg):
        self.client = Client(client_authn_method=CLIENT_AUTHN_METHOD)
        self.client.config["code_challenge"] = {"length": 64, "method": "S256"}
        self.method = method
        self.metadata = self.client.provider_config(issuer)
        self.client.store_registration_info(
            RegistrationResponse(
                client_id=app.client_id,
                client_secret=app.secret,
                redirect_uris=[CALLBACK],
                token_endpoint_auth_method=method,
                id_token_signed_response_alg=alg,
            )
        )
        self.alg = alg

    def authorize(self, walk, state, nonce, **more):
        """A person signs in and allows; the code's answer, and the verifier that belongs to it."""
        challenge, verifier = self.client.add_code_challenge()
        asked = self.client.construct_AuthorizationRequest(
            request_args={
                "response_type": "code",
                "scope": SCOPES,
                "redirect_uri": CALLBACK,
                "state": state,
                "nonce": nonce,
                **challenge,
                **more,
            }
        )
        arrived = walk(asked.request(self.client.authorization_endpoint))
        query = urlsplit(arrived).query
        answer = self.client.parse_response(
            AuthorizationResponse, info=query, sformat="urlencoded", keyjar=self.client.keyjar
        )
        assert isinstance(answer, AuthorizationResponse), answer
        assert answer["state"] == state
        return answer, verifier

    def redeem(self, answer, verifier):
        return self.client.do_access_token_request(
            state=answer["state"],
            request_args={"code": answer["code"], "redirect_uri": CALLBACK},
            extra_args={"code_verifier": verifier},
            authn_method=self.method,
            algs={"sign": self.alg},
        )

    def refresh(self, state):
        return self.client.do_access_token_refresh(state=state, authn_method=self.method)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", CONFIDENTIAL)
def test_a_person_signs_on_and_off_by_pyoidc(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    party = Party(product.issuer(slug), register(slug, kind), *KINDS[kind])

    answer, verifier = party.authorize(walk, "a-state", "a-nonce", prompt="consent")
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
