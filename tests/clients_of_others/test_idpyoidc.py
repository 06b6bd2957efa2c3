"""idpyoidc, pyoidc's successor, with nothing told to it but an address."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptojwt import KeyJar
from cryptojwt.exception import BadSignature
from idpyoidc import verified_claim_name
from idpyoidc.client.exception import OidcServiceError, ResponseError
from idpyoidc.client.oauth2.stand_alone_client import StandAloneClient, backchannel_logout
from kinds import API, API_SCOPE, KINDS, SCOPE, Application
from notices import notice_of_logout
from product import CALLBACK, SIGNED_OUT, SLUGS

pytestmark = pytest.mark.usefixtures("names_under_localhost")

SCOPES = SCOPE.split()
_OIDC, _OAUTH = "idpyoidc.client.oidc", "idpyoidc.client.oauth2"
SERVICES = {
    "discovery": {"class": f"{_OIDC}.provider_info_discovery.ProviderInfoDiscovery"},
    "registration": {"class": f"{_OIDC}.registration.Registration"},
    "registration_read": {"class": f"{_OIDC}.read_registration.RegistrationRead"},
    "authorization": {"class": f"{_OIDC}.authorization.Authorization"},
    "accesstoken": {"class": f"{_OIDC}.access_token.AccessToken"},
    "refresh_access_token": {"class": f"{_OIDC}.refresh_access_token.RefreshAccessToken"},
    "client_credentials": {"class": f"{_OAUTH}.client_credentials.CCAccessTokenRequest"},
    "userinfo": {"class": f"{_OIDC}.userinfo.UserInfo"},
    "end_session": {"class": f"{_OIDC}.end_session.EndSession"},
    "introspection": {"class": f"{_OAUTH}.introspection.Introspection"},
    "revocation": {"class": f"{_OAUTH}.token_revocation.TokenRevocation"},
}
PKCE = {
    "function": f"{_OAUTH}.add_on.pkce.add_support",
    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
}
#: Proofs where the library makes them right: its `ath` is in hexadecimal, not base64url.
DPOP = {
    "function": f"{_OAUTH}.add_on.dpop.add_support",
    "kwargs": {
        "dpop_signing_alg_values_supported": ["ES256"],
        "with_dpop_header": ["accesstoken", "refresh_token"],
    },
}
WITH_SECRET = {kind: how for kind, how in KINDS.items() if "secret_" in how[0]}


def party_of(issuer, app, **add_ons):
    """An application on idpyoidc that has read the provider's metadata."""
    keys = KeyJar()
    for owner in {"", app.client_id}:  # the library looks for its own keys under either
        keys.import_jwks({"keys": [app.private_jwk]}, owner)
    party = StandAloneClient(
        client_type="oidc",
        keyjar=keys,
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
            "token_endpoint_auth_methods_supported": [app.method],
            "token_endpoint_auth_signing_alg_values_supported": [app.alg],
            "id_token_signing_alg_values_supported": [app.alg],
            "request_object_signing_alg_values_supported": [app.alg],
            "add_ons": {"pkce": PKCE, **add_ons},
            "client_authn_methods": [app.method],
        },
    )
    party.do_provider_info()
    # It takes the words of a registered `scope` for one, so it gets one to register.
    party.do_client_registration(request_args={"scope": "openid"})
    return party


def arrive(party, walk, **asks):
    """A person signs in and allows; what the answer says."""
    arrived = walk(party.init_authorization(req_args={"prompt": "consent", **asks}))
    return dict(parse_qsl(urlsplit(arrived).query))


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", WITH_SECRET)
def test_a_person_signs_on_and_off_by_idpyoidc(product, register, person_at_a_browser, slug, kind):
    app = register(slug, kind)
    person, walk = person_at_a_browser(slug)
    party = party_of(product.issuer(slug), app)

    answer = arrive(party, walk, scope=SCOPES)
    state = answer["state"]
    found = party.finalize(answer)

    assert "error" not in found, found
    claims, userinfo = found["id_token"], found["userinfo"]
    assert answer["iss"] == claims["iss"] == product.issuer(slug)
    assert claims.jws_header["alg"] == app.alg
    assert claims["sub"] == userinfo["sub"] == str(person.id)
    assert userinfo["email"] == person.email

    before = party.get_session_information(state)["refresh_token"]
    renewed = party.refresh_access_token(state)
    assert renewed["refresh_token"] != before
    assert renewed[verified_claim_name("id_token")]["sub"] == claims["sub"]

    def introspect():
        asked = {"token": renewed["access_token"]}
        return party.do_request("introspection", request_args=asked, authn_method=app.method)

    assert introspect()["active"] is True
    with pytest.raises(OidcServiceError, match="invalid_grant"):
        party.get_tokens(state)  # the code again, which ends what came of it
    assert introspect().to_dict() == {"active": False}

    leaving = party.logout(state, post_logout_redirect_uri=SIGNED_OUT)
    left = walk(leaving["url"])
    assert left == f"{SIGNED_OUT}?{urlencode({'state': leaving['request']['state']})}"


@pytest.mark.spec("OIDCC-9", "RFC7523-3", "CA-3")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", ["ES256, private_key_jwt", "RS256, private_key_jwt"])
def test_a_key_proves_who_asks(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    party = party_of(product.issuer(slug), register(slug, kind))
    how = {"authn_method": "private_key_jwt"}

    answer = arrive(party, walk, scope=SCOPES)
    party.finalize_auth(answer)
    asked = {"code": answer["code"], "redirect_uri": CALLBACK, "grant_type": "authorization_code"}
    tokens = party.do_request("accesstoken", request_args=asked, state=answer["state"], **how)
    renewed = party.do_request("refresh_token", request_args={}, state=answer["state"], **how)

    for each in (tokens, renewed):
        assert each[verified_claim_name("id_token")]["sub"] == str(person.id)


@pytest.mark.spec("DPOP-5", "DP-1", "DP-4", "DP-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_tokens_are_bound_to_a_key(product, register, person_at_a_browser, slug):
    person, walk = person_at_a_browser(slug)
    party = party_of(product.issuer(slug), register(slug, "ES256, client_secret_post"), dpop=DPOP)

    answer = arrive(party, walk, scope=SCOPES)
    party.finalize_auth(answer)
    tokens = party.get_tokens(answer["state"])
    renewed = party.refresh_access_token(answer["state"])

    for each in (tokens, renewed):
        assert each["token_type"] == "DPoP"
        assert each[verified_claim_name("id_token")]["sub"] == str(person.id)
    with pytest.raises(OidcServiceError, match="invalid_token"):  # it goes there without a proof
        party.get_user_info(answer["state"])


@pytest.mark.spec("OIDCC-6.1", "JAR-4", "JR-1", "JR-4", "JR-5")
@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("kind", ["ES256, client_secret_post", "RS256, client_secret_basic"])
def test_a_request_is_signed_by_idpyoidc(product, register, person_at_a_browser, slug, kind):
    person, walk = person_at_a_browser(slug)
    app = register(slug, kind)
    jar = {
        "function": f"{_OAUTH}.add_on.jar.add_support",
        "kwargs": {"request_object_signing_alg": app.alg},
    }
    party = party_of(product.issuer(slug), app, jar=jar)

    found = party.finalize(arrive(party, walk, scope=SCOPES))

    assert found["userinfo"]["sub"] == str(person.id)


@pytest.mark.spec("OIDCR-3.1", "OIDCR-3.2", "RFC7592-2.1", "DR-1", "DR-9", "DR-10")
@pytest.mark.usefixtures("own_tenants")
def test_an_application_registers_itself_by_idpyoidc(product, person_at_a_browser):
    person, walk = person_at_a_browser("wonka")
    party = party_of(product.issuer("wonka"), Application("", "", "client_secret_post", "ES256"))

    read = party.do_request("registration_read")
    found = party.finalize(arrive(party, walk, scope=["openid"]))

    assert read["client_id"] == party.get_client_id() == found["id_token"]["aud"][0]
    assert found["userinfo"]["sub"] == str(person.id)


@pytest.mark.spec("RFC6749-4.4", "RFC7009-2.1", "RFC8707-2", "TK-8", "RV-1", "RS-1")
@pytest.mark.parametrize("slug", SLUGS)
def test_a_machine_acts_for_itself_by_idpyoidc(product, register, api, slug):
    app = register(
        slug,
        "ES256, client_secret_post",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=("client_credentials",),
        resources=api["resources"],
        scopes=(API_SCOPE,),
    )
    party = party_of(product.issuer(slug), app)

    def ask(service, **request_args):
        return party.do_request(service, request_args=request_args, authn_method=app.method)

    token = ask("client_credentials", scope=[API_SCOPE], resource=API)["access_token"]
    found = ask("introspection", token=token)
    assert (found["client_id"], found["aud"]) == (app.client_id, [API])
    with pytest.raises(ResponseError):  # it wants a body, which RFC 7009 tells clients to ignore
        ask("token_revocation", token=token)
    assert ask("introspection", token=token).to_dict() == {"active": False}


@pytest.mark.spec("OIDCBCL-2.4", "OIDCBCL-2.6", "LO-6")
@pytest.mark.parametrize("slug", SLUGS)
def test_idpyoidc_believes_the_notice_of_a_logout(product, register, slug):
    app = register(
        slug, "RS256, client_secret_basic", backchannel_logout_uri="https://app.example/out"
    )
    person, _, token = notice_of_logout(product, slug, app)
    party = party_of(product.issuer(slug), app)
    context = party.get_context()
    context.cstate.set("its-session", {})
    context.cstate.bind_key(str(person.id), "its-session")

    assert backchannel_logout(party, request_args={"logout_token": token}) == "its-session"

    with pytest.raises(BadSignature):
        backchannel_logout(party, request_args={"logout_token": token[:-8] + "AAAAAAAA"})
