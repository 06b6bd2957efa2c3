"""idpyoidc, pyoidc's successor, with nothing told to it but an address."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from idpyoidc import verified_claim_name
from idpyoidc.client.exception import OidcServiceError
from idpyoidc.client.oauth2.stand_alone_client import StandAloneClient
from kinds import KINDS
from product import CALLBACK, SIGNED_OUT, SLUGS

pytestmark = pytest.mark.usefixtures("names_under_localhost")

SCOPES = ["openid", "profile", "email", "offline_access"]
_OIDC, _OAUTH = "idpyoidc.client.oidc", "idpyoidc.client.oauth2"
SERVICES = {
    "discovery": {"class": f"{_OIDC}.provider_info_discovery.ProviderInfoDiscovery"},
    "authorization": {"class": f"{_OIDC}.authorization.Authorization"},
    "accesstoken": {"class": f"{_OIDC}.access_token.AccessToken"},
    "refresh_access_token": {"class": f"{_OIDC}.refresh_access_token.RefreshAccessToken"},
    "userinfo": {"class": f"{_OIDC}.userinfo.UserInfo"},
    "end_session": {"class": f"{_OIDC}.end_session.EndSession"},
    "introspection": {"class": f"{_OAUTH}.introspection.Introspection"},
}
PKCE = {
    "function": f"{_OAUTH}.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}
#: What the library can prove itself by.
CONFIDENTIAL = {kind: how for kind, how in KINDS.items() if how[0] != "none"}


def party_of(issuer, app, method, alg, **add_ons):
    """An application on idpyoidc that has read the provider's metadata."""
    party = StandAloneClient(
        client_type="oidc",
        services=SERVICES,
        config={
            "issuer": issuer,
            "base_url": "http://127.0.0.1:9000",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [SIGNED_OUT],
            "response_types_supported": ["code"],
            "scopes_supported": SCOPES,
            "token_endpoint_auth_methods_supported": [method],
            "id_token_signing_alg_values_supported": [alg],
            "add_ons": {"pkce": PKCE, **add_ons},
            "client_authn_methods": [method],
        },
    )
    party.do_provider_info()
    party.do_client_registration()
    return party


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", CONFIDENTIAL)
def test_a_person_signs_on_and_off_by_idpyoidc(product, register, person_at_a_browser, slug, kind):
    method, alg = KINDS[kind]
    person, walk = person_at_a_browser(slug)
    party = party_of(product.issuer(slug), register(slug, kind), method, alg)

    arrived = walk(party.init_authorization(req_args={"prompt": "consent", "scope": SCOPES}))
    answer = dict(parse_qsl(urlsplit(arrived).query))
    state = answer["state"]
    found = party.finalize(answer)

    assert "error" not in found, found
    claims, userinfo = found["id_token"], found["userinfo"]
    assert answer["iss"] == claims["iss"] == product.issuer(slug)
    assert claims.jws_header["alg"] == alg
    assert claims["sub"] == userinfo["sub"] == str(person.id)
    assert userinfo["email"] == person.email

    before = party.get_session_information(state)["refresh_token"]
    renewed = party.refresh_access_token(state)
    assert renewed["refresh_token"] != before
    assert renewed[verified_claim_name("id_token")]["sub"] == claims["sub"]

    def introspect():
        asked = {"token": renewed["access_token"]}
        return party.do_request("introspection", request_args=asked, authn_method=method)

    assert introspect()["active"] is True
    with pytest.raises(OidcServiceError, match="invalid_grant"):
        party.get_tokens(state)  # the code again, which ends what came of it
    assert introspect().to_dict() == {"active": False}

    leaving = party.logout(state, post_logout_redirect_uri=SIGNED_OUT)
    left = walk(leaving["url"])
    assert left == f"{SIGNED_OUT}?{urlencode({'state': leaving['request']['state']})}"
