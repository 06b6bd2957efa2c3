"""A program registers clients over HTTP: who may, what is kept, what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registrar import MINIMAL, REDIRECT, nobodys

from insula.oidc.features.registration import MEMBERS
from insula.registration import initial_tokens
from insula.resource_servers import scopes, servers


@pytest.fixture(scope="session")
def lively(registrar):
    """A tenant where anybody may register, any number of them."""
    return registrar("lively", registration="open", clients=10_000, attempts_per_address=10_000)


@pytest.mark.spec("RFC7591-3.2.1", "OIDCR-3.2", "DR-9", "DR-3")
def test_a_client_that_registered_gets_tokens(initech):
    client = initech.register(
        client_name="Reports", grant_types=["client_credentials"], redirect_uris=[]
    )

    answer = initech.token_endpoint(client, grant_type="client_credentials")

    assert answer.status_code == 200, answer.text
    assert client["client_name"] == "Reports"
    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["scope"] == ""
    assert client["client_id"].startswith("ins_cl_")


@pytest.mark.spec("RFC7591-2", "OIDCR-2", "DR-3", "DR-18")
def test_defaults_are_those_of_the_standard(initech):
    client = initech.register()

    assert client["grant_types"] == ["authorization_code"]
    assert client["response_types"] == ["code"]
    assert client["application_type"] == "web"
    assert client["client_name"] == client["client_id"]
    assert set(client["scope"].split()) == {
        "openid", "profile", "email", "address", "phone", "offline_access"
    }  # fmt: skip


@pytest.mark.spec("OIDCR-2", "DR-18", "DR-17")
def test_nothing_internal_can_be_set(initech):
    client = initech.register(
        consent="skip", profile="legacy", tenant_id="x", verified=True, introspects_others=True,
        resources=["x"], response_modes=["fragment"], rotate_refresh_tokens=False,
        access_token_format="opaque", refresh_grace=60,  # noqa: S106
    )  # fmt: skip

    (row,) = [row for row in initech.clients() if row.client_id == client["client_id"]]
    kept = row.metadata
    assert (kept["consent"], kept["profile"], kept["resources"]) == ("ask", "oauth21", [])
    assert (kept["introspects_others"], kept["response_modes"]) == (False, ["query", "form_post"])
    assert (kept["access_token_format"], kept["refresh_grace"]) == ("jwt", 10)
    assert row.verified_at is None


@pytest.mark.spec("OIDCC-4", "OC-17")
def test_where_a_login_begins_is_kept_and_told(initech):
    client = initech.register(initiate_login_uri="https://app.example/begin")

    assert client["initiate_login_uri"] == "https://app.example/begin"
    assert initech.at(client, "GET").json()["initiate_login_uri"] == client["initiate_login_uri"]


@pytest.mark.spec("RFC7591-3", "DR-2", "security row 100")
def test_a_token_of_another_tenant_is_like_one_that_nobody_has(initech, umbrella):
    theirs = umbrella.token()

    foreign = initech.post(MINIMAL, token=theirs)
    unknown = initech.post(MINIMAL, token=nobodys("iat"))

    assert foreign.status_code == unknown.status_code == 401
    assert foreign.content == unknown.content
    assert foreign.headers["www-authenticate"] == unknown.headers["www-authenticate"]
    assert umbrella.post(MINIMAL, token=theirs).status_code == 201


@pytest.mark.spec("RFC7591-3", "DR-2")
def test_a_token_ends_by_use_by_time_and_by_revocation(initech):
    used, late, revoked = initech.token(), initech.token(), initech.token()
    assert initech.post(MINIMAL, token=used).status_code == 201
    rows = initech.tokens()
    initech.product.change(
        "update insula.initial_access_tokens set expires_at = now() where id = %s", rows[-2].id
    )
    initech.run(lambda tenant: initial_tokens.revoke(tenant, rows[-1].id))

    for token in (used, late, revoked):
        answer = initech.post(MINIMAL, token=token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


@pytest.mark.spec("RFC7591-3", "DR-2", "security I10")
def test_a_token_of_five_uses_registers_five_clients_however_many_ask_at_once(initech):
    token = initech.token(uses=5)
    before = len(initech.clients())

    with ThreadPoolExecutor(24) as crowd:
        answers = list(crowd.map(lambda _: initech.post(MINIMAL, token=token), range(24)))

    statuses = [answer.status_code for answer in answers]
    assert sorted(set(statuses)) == [201, 401]
    assert statuses.count(201) == 5
    assert len(initech.clients()) == before + 5
    assert initech.tokens()[-1].uses_left == 0


@pytest.mark.spec("DR-1")
def test_a_tenant_takes_as_many_clients_as_it_says(registrar):
    small = registrar("small", clients=3)
    token = small.token(uses=20)

    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(lambda _: small.post(MINIMAL, token=token), range(10)))

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 3
    assert set(statuses) == {201, 429}
    assert {int(a.headers["retry-after"]) > 0 for a in answers if a.status_code == 429} == {True}
    assert small.tokens()[-1].uses_left == 17  # whoever was refused has used nothing


@pytest.mark.spec("DR-1")
def test_an_address_has_to_wait_after_so_many_attempts(registrar):
    strict = registrar("strict", attempts_per_address=4)
    answers = [
        strict.post({"redirect_uris": ["x"]}, token=strict.token(), address="198.51.100.9")
        for _ in range(5)
    ]

    assert [answer.status_code for answer in answers] == [400] * 4 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3601
    assert strict.post(MINIMAL, token=strict.token(), address="198.51.100.10").status_code == 201


@pytest.mark.spec("RFC7591-3", "DR-2")
def test_a_policy_holds_for_what_is_registered_and_for_what_replaces_it(initech):
    policy = {
        "profile": "standard",
        "scopes": ["openid", "email"],
        "redirect_hosts": ["app.example"],
        "auth_methods": ["client_secret_post"],
    }
    method = {"token_endpoint_auth_method": "client_secret_post"}
    answer = initech.post({**MINIMAL, **method}, token=initech.token(**policy))
    assert answer.status_code == 201, answer.text
    client = answer.json()
    assert client["scope"] == "openid email"
    (row,) = [row for row in initech.clients() if row.client_id == client["client_id"]]
    assert row.metadata["profile"] == "standard"

    for wrong, error in (
        ({"scope": "openid profile"}, "invalid_client_metadata"),
        ({"redirect_uris": ["https://evil.example/cb"]}, "invalid_redirect_uri"),
        (
            {"redirect_uris": [REDIRECT, "https://app.example.evil.example/"]},
            "invalid_redirect_uri",
        ),
        ({"post_logout_redirect_uris": ["https://evil.example/"]}, "invalid_client_metadata"),
        (
            {"application_type": "native", "redirect_uris": ["com.evil.app://app.example/cb"]},
            "invalid_redirect_uri",
        ),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
    ):
        assert initech.refused(policy=policy, **{**method, **wrong}) == error
        replaced = initech.replace(client, **{**method, **wrong})
        assert (replaced.status_code, replaced.json()["error"]) == (400, error)
    assert initech.replace(client, **method).status_code == 200


@pytest.mark.spec("RFC7591-3", "RFC8707-2", "DR-2", "DR-18")
def test_a_policy_that_names_a_scope_of_an_api_lets_its_clients_have_it(initech):
    api = "https://orders.example"
    initech.run(lambda t: servers.add(t, api, "Orders"))
    initech.run(lambda t: scopes.add(t, "orders:read", resource_server=api))
    machine = {"grant_types": ["client_credentials"], "redirect_uris": []}

    with_it = initech.token(scopes=["orders:read"])
    client = initech.post({**MINIMAL, **machine}, token=with_it).json()
    answer = initech.token_endpoint(
        client, grant_type="client_credentials", scope="orders:read", resource=api
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "orders:read"
    assert initech.refused(**machine, scope="orders:read") == "invalid_client_metadata"


@pytest.mark.spec("RFC7591-3", "DR-5")
def test_the_front_channel_is_for_a_tenant_that_has_it(registrar, initech):
    implicit = {"grant_types": ["implicit"], "response_types": ["id_token"]}
    tenant = registrar("frontal", front_channel_tokens=True, registration_profile="legacy")

    assert initech.refused(policy={"profile": "legacy"}, **implicit) == "invalid_client_metadata"
    client = tenant.register(**implicit)
    assert client["response_types"] == ["id_token"]
    assert tenant.refused(policy={"profile": "oauth21"}, **implicit) == "invalid_client_metadata"


@pytest.mark.spec("RFC7591-3.2.2", "OIDCR-3.1", "DR-4", "AZ-18", "security row 3", "security row 4")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb#there", "https://*.example/cb", "javascript:alert(1)",
        "JavaScript:alert(1)", "data:text/html,x", "http://app.example/cb", "/cb", "",
        "com.example.app:/cb", "https://u@app.example/cb", "http://localhost/cb",
    ],
)  # fmt: skip
def test_a_redirect_that_means_more_than_one_address_is_refused(initech, uri):
    assert initech.refused(redirect_uris=[REDIRECT, uri]) == "invalid_redirect_uri"


@pytest.mark.spec("OIDCR-2", "DR-4")
def test_a_client_of_the_code_flow_needs_a_redirect(initech):
    assert initech.refused(redirect_uris=[]) == "invalid_redirect_uri"


RSA_1024 = {
    "kty": "RSA", "e": "AQAB", "n": "s" * 171,
}  # fmt: skip


@pytest.mark.spec(
    "RFC7591-3.2.2", "OIDCR-2", "DR-3", "DR-5", "DR-6", "DR-8", "LO-9", "LO-10", "OC-17"
)
@pytest.mark.parametrize(
    "members",
    [
        {"grant_types": ["authorization_code"], "response_types": []},
        {"grant_types": ["client_credentials"], "response_types": ["code"]},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [RSA_1024]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"jwks": {}, "jwks_uri": "https://app.example/jwks"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"subject_type": "pairwise", "redirect_uris": [REDIRECT, "https://other.example/cb"]},
        {"subject_type": "secret"},
        {"scope": "openid insula:tenants:read"},
        {"scope": "openid orders:read"},
        {"logo_uri": "http://app.example/logo.png"},
        {"policy_uri": "javascript:alert(1)"},
        {"tos_uri": "http://app.example/"},
        {"client_uri": "ftp://app.example/"},
        {"initiate_login_uri": "http://app.example/begin"},
        {"backchannel_logout_uri": "http://app.example/out"},
        {"backchannel_logout_uri": "https://app.example/out#x"},
        {"frontchannel_logout_uri": "https://other.example/out"},
        {"post_logout_redirect_uris": ["https://*/"]},
        {"application_type": "mobile"},
        {"client_name": "x" * 121},
        {"client_name": "a\nb"},
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_refused(initech, members):
    assert initech.refused(**members) == "invalid_client_metadata"


@pytest.mark.spec("RFC6749-5.2")
def test_a_refusal_repeats_nothing_of_what_was_sent(initech):
    secret = "neverseenbefore"
    for members in (
        {"application_type": secret},
        {"scope": f"openid {secret}"},
        {"redirect_uris": [f"javascript:{secret}"]},
        {"jwks": {"keys": [{"kty": secret}]}},
    ):
        answer = initech.post({**MINIMAL, **members}, token=initech.token())
        assert answer.status_code == 400
        assert secret not in answer.text
        assert '"' not in answer.json()["error_description"]


@pytest.mark.spec("DR-1")
def test_registrations_are_in_the_record(initech):
    client = initech.register(client_name="For the record")

    (line,) = initech.product.audit("soylent", "client.registered", target_id=client["client_id"])
    assert line.actor_type == "client"
    assert line.metadata["name"] == "For the record"
    assert client["client_secret"] not in str(line)
    assert client["registration_access_token"] not in str(line)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["code", "none", "RS256", REDIRECT, "public"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(members=st.dictionaries(st.sampled_from(sorted(MEMBERS)), _VALUES))
def test_no_registration_makes_the_product_fail(lively, members):
    answer = lively.post({**MINIMAL, **members})

    assert answer.status_code in {201, 400}, answer.text
