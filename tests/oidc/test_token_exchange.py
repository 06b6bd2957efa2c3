"""Token exchange, RFC 8693: an API calls another one for the same person (TX-1 to TX-6)."""

from urllib.parse import urlencode

import pytest
from apis import APIS, BILLING, DESK, REPORTS, USES_APIS, is_refused, payload, reissue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oidc_world import FORM, ISSUER, basic, build, call, ring_of
from proofs import proof
from signed import Key

from insula.oidc.models import ExchangePolicy, Features

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
TYPES = "urn:ietf:params:oauth:token-type:"
BACK = frozenset({"billing:read", "reports:read", "reports:write", "openid", "email", "desk:use"})

TO_BILLING = ExchangePolicy(BILLING, REPORTS, BACK)
TO_DESK = ExchangePolicy(DESK, REPORTS, BACK)
FROM_ISSUER = ExchangePolicy(BILLING, "", BACK)
AS_THE_PERSON = ExchangePolicy(BILLING, REPORTS, BACK, "impersonation")
BACKENDS = ("backend", "second", "third", "fourth", "fifth")


@pytest.fixture
def world(world, ring):
    """The back ends ask about tokens for Reports and for Desk, which is how they own them."""
    owned = {
        name: _with(api, introspection_clients=frozenset(BACKENDS)) for name, api in APIS.items()
    }
    return reissue(world, ring, resources=owned)


def _with(api, **changes):
    return type(api)(**{name: getattr(api, name) for name in api.__slots__} | changes)


@pytest.fixture
def app(world):
    return world.client("app", **USES_APIS)


def backend(world, *policies, client_id="backend", **changes):
    grants = frozenset({GRANT, "client_credentials"})
    given = {"grant_types": grants, "exchange_policies": policies, "redirect_uris": ()}
    return world.client(client_id, **USES_APIS | given | changes)


async def subject(world, app, scope="openid email reports:read", **changes):
    return (await world.tokens(app, scope=scope, **changes))["access_token"]


async def exchange(world, client, token, **changes):
    form = {
        "grant_type": GRANT,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
    }
    return await world.token(client, **form | changes)


async def exchanged(world, client, token, **changes):
    answer = await exchange(world, client, token, **changes)
    assert answer.status == 200, answer.text
    return answer.json["access_token"]


async def described(world, client, token):
    return (await world.introspect(client, token)).json


# --- what comes of it


@pytest.mark.spec("RFC8693-2.2.1", "TX-5")
async def test_the_answer_holds_a_token_for_the_other_api_and_no_more(world, app):
    client = backend(world, TO_BILLING)

    answer = await exchange(world, client, await subject(world, app))

    assert set(answer.json) == {
        "access_token", "issued_token_type", "token_type", "expires_in", "scope",
    }  # fmt: skip
    assert answer.json["issued_token_type"] == ACCESS_TOKEN
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "billing:read")
    assert answer.headers["cache-control"] == "no-store"
    said = await described(world, client, answer.json["access_token"])
    assert (said["aud"], said["client_id"]) == (BILLING, "backend")
    assert said["sub"] == str(world.ada.user_id)
    assert said["act"] == {"sub": "backend"}


@pytest.mark.spec("RFC9068-2.2", "RFC8693-4.1", "RS-6", "TX-3")
async def test_a_jwt_names_the_person_and_who_acts(world, app):
    token = await subject(world, app)

    says = payload(await exchanged(world, backend(world, TO_DESK), token))

    before = payload(token)
    assert says["act"] == {"sub": "backend"}
    assert (says["sub"], says["client_id"]) == (before["sub"], "backend")
    for name in ("auth_time", "acr", "amr"):
        assert says[name] == before[name]


@pytest.mark.spec("RFC8693-2.1", "TX-2")
async def test_opaque_tokens_are_subjects_too(world, app):
    client = backend(world, ExchangePolicy(DESK, BILLING, frozenset({"desk:use"})))

    says = payload(await exchanged(world, client, await subject(world, app, "billing:read")))

    assert (says["aud"], says["scope"]) == ([DESK, ISSUER], "desk:use")


@pytest.mark.spec("RFC8693-2.1", "TX-2")
async def test_a_client_exchanges_what_was_issued_to_itself(world):
    own = world.client(
        "own", **USES_APIS | {"grant_types": frozenset({"authorization_code", GRANT})},
        exchange_policies=(FROM_ISSUER,),
    )  # fmt: skip

    answer = await exchange(world, own, await subject(world, own, "openid"))

    assert answer.json["scope"] == "billing:read"


@pytest.mark.spec("RFC9449-5", "DP-4")
async def test_the_new_token_is_bound_to_the_key_of_who_asks(world, app):
    client, key = backend(world, TO_BILLING, dpop_bound_access_tokens=True), Key("ES256")
    token = await subject(world, app)

    assert is_refused(await exchange(world, client, token), "invalid_dpop_proof")
    answer = await exchange(world, client, token, headers=[basic("backend"), ("dpop", proof(key))])
    assert answer.json["token_type"] == "DPoP"
    said = await described(world, client, answer.json["access_token"])
    assert said["token_type"] == "DPoP"
    assert said["cnf"]["jkt"]


# --- who may


@pytest.mark.spec("RFC8693-2.1", "TX-1")
async def test_without_a_policy_there_is_no_exchange(world, app):
    token = await subject(world, app)
    public = world.public("spa", grant_types=frozenset({GRANT}), exchange_policies=(TO_BILLING,))

    for client in (backend(world), public):
        assert is_refused(await exchange(world, client, token), "unauthorized_client")


@pytest.mark.spec("RFC6749-5.2", "TK-9", "TX-1")
async def test_the_grant_must_be_the_clients(world, app):
    client = backend(world, TO_BILLING, grant_types=frozenset({"client_credentials"}))

    answer = await exchange(world, client, await subject(world, app))

    assert is_refused(answer, "unauthorized_client")


@pytest.mark.spec("RFC8693-2.2.2", "TX-1", "TX-5")
@pytest.mark.parametrize(
    "params",
    [
        {"resource": DESK},
        {"audience": DESK},
        {"resource": "https://unknown.example"},
        {"resource": BILLING, "audience": DESK},
        {"resource": f"{BILLING} {DESK}"},
        {"resource": " "},
        {"audience": "\t"},
    ],
)
async def test_another_target_than_the_policys_is_refused(world, app, params):
    client = backend(world, TO_BILLING)

    answer = await exchange(world, client, await subject(world, app), **params)

    assert is_refused(answer, "invalid_target")


@pytest.mark.spec("RFC8693-2.1", "TX-1")
async def test_the_way_must_be_the_policys(world, app):
    client = backend(world, FROM_ISSUER, ExchangePolicy(BILLING, DESK, BACK))
    token = await subject(world, app)

    for params in ({}, {"resource": BILLING}):
        answer = await exchange(world, client, token, **params)
        assert is_refused(answer, "unauthorized_client")


@pytest.mark.spec("RFC8693-2.1", "TX-1")
async def test_of_several_targets_one_is_named(world, app):
    client = backend(world, TO_BILLING, TO_DESK)
    token = await subject(world, app)

    assert is_refused(await exchange(world, client, token), "invalid_target")
    for params in ({"resource": DESK}, {"audience": DESK}, {"resource": DESK, "audience": DESK}):
        assert payload(await exchanged(world, client, token, **params))["aud"] == [DESK, ISSUER]


@pytest.mark.spec("RFC8693-2.2.2", "TX-5")
async def test_a_target_that_is_gone_is_refused(world, ring, app):
    client = backend(world, TO_BILLING)
    token = await subject(world, app)
    reports = _with(APIS[REPORTS], introspection_clients=frozenset({"backend"}))

    reissue(world, ring, resources={REPORTS: reports})

    assert is_refused(await exchange(world, client, token), "invalid_target")


# --- which tokens


@pytest.mark.spec("RFC8693-2.1", "TX-2")
@pytest.mark.parametrize("kind", ["id_token", "refresh_token", "jwt", "saml2"])
async def test_other_kinds_of_tokens_are_refused(world, app, kind):
    client, token = backend(world, TO_BILLING), await subject(world, app)
    other = TYPES + kind

    answers = [
        await exchange(world, client, token, subject_token_type=other),
        await exchange(world, client, token, requested_token_type=other),
        await exchange(world, client, token, actor_token=token, actor_token_type=other),
    ]

    for answer in answers:
        assert is_refused(answer, "invalid_request")


@pytest.mark.spec("RFC8693-2.1", "TX-2")
@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"actor_token": "x"},
        {"actor_token_type": ACCESS_TOKEN},
    ],
)
async def test_parameters_that_belong_together_come_together(world, app, changes):
    client, token = backend(world, TO_BILLING), await subject(world, app)

    assert is_refused(await exchange(world, client, token, **changes), "invalid_request")


@pytest.mark.spec("RFC8693-2.1", "RFC8693-2.2.2", "TX-2", "security 50")
async def test_what_is_no_living_token_for_who_asks_is_refused_alike(world, foreign, app, later):
    client = backend(world, TO_BILLING, FROM_ISSUER)
    living = await world.tokens(app, scope="openid email reports:read offline_access")
    for_the_issuer = await subject(world, app, "openid")
    revoked = await subject(world, app)
    await world.revoke(app, revoked)
    here, world.provider = (
        world.provider,
        build(
            world.host,
            ring_of(foreign.values()),
            resources=APIS,
            scopes={"openid": (), "reports:read": ()},
        ),
    )
    of_another_issuer = await subject(world, app, "openid reports:read", resource=REPORTS)
    world.provider = here

    bodies = set()
    for token in (
        "garbage", "a.b.c", "ins_at_unknown", living["id_token"], living["refresh_token"],
        living["access_token"] + "A", for_the_issuer, revoked, of_another_issuer,
    ):  # fmt: skip
        answer = await exchange(world, client, token)
        assert is_refused(answer, "invalid_grant")
        bodies.add(answer.body)
    later(620)
    expired = await exchange(world, client, living["access_token"])

    assert is_refused(expired, "invalid_grant")
    assert bodies == {expired.body}


@pytest.mark.spec("RFC8693-2.1", "TX-2")
async def test_an_api_that_is_not_the_askers_is_refused(world, app):
    stranger = backend(world, TO_BILLING, client_id="stranger")

    answer = await exchange(world, stranger, await subject(world, app))

    assert is_refused(answer, "invalid_grant")


# --- scopes and life


@pytest.mark.spec("RFC8693-2.2.1", "TX-5")
async def test_scopes_are_the_policys_and_never_more_of_the_issuer_than_the_subjects(world, app):
    client = backend(world, TO_DESK)
    with_email = world.client("mail", **USES_APIS, default_resource=DESK)
    of_desk = backend(world, ExchangePolicy(DESK, DESK, BACK), client_id="second")

    from_reports = await exchange(world, client, await subject(world, app))
    token = await subject(world, with_email, "openid email")
    from_desk = await exchange(world, of_desk, token)

    assert from_reports.json["scope"] == "desk:use"
    assert from_desk.json["scope"] == "openid email"
    assert is_refused(await exchange(world, of_desk, token, scope="desk:use"), "invalid_scope")


@pytest.mark.spec("RFC8693-2.2.1", "TX-5")
async def test_at_its_own_api_a_token_gets_no_scope_that_it_did_not_have(world, app):
    client = backend(world, ExchangePolicy(REPORTS, REPORTS, BACK))
    token = await subject(world, app)

    assert payload(await exchanged(world, client, token))["scope"] == "reports:read"
    answer = await exchange(world, client, token, scope="reports:read reports:write")
    assert is_refused(answer, "invalid_scope")


@pytest.mark.spec("RFC8693-2.1", "TX-5")
@pytest.mark.parametrize("scope", ["banana", "openid", "email", "reports:read", "billing:write"])
async def test_what_the_target_does_not_have_is_refused(world, app, scope):
    client = backend(world, TO_BILLING)

    answer = await exchange(world, client, await subject(world, app), scope=scope)

    assert is_refused(answer, "invalid_scope")


@pytest.mark.spec("RFC8693-2.2.1", "TX-5")
@pytest.mark.parametrize("passed", [0, 1, 300, 590])
async def test_the_new_token_never_lives_longer_than_the_subject(world, app, later, passed):
    client = backend(world, TO_DESK)
    token = await subject(world, app)
    later(passed)

    says = payload(await exchanged(world, client, token))

    assert says["exp"] <= payload(token)["exp"]
    assert says["exp"] - says["iat"] <= 600 - passed


@pytest.mark.spec("RFC8693-2.2.1", "TX-5")
async def test_a_token_that_ends_this_second_is_not_exchanged(world, app, later):
    client, token = backend(world, TO_DESK), await subject(world, app)
    later(601)  # within the leeway of other clocks

    assert is_refused(await exchange(world, client, token), "invalid_grant")


# --- who acts


async def chain(world, app, length):
    """A token that went through so many hands, and what the last one was told."""
    token = await subject(world, app)
    here = ExchangePolicy(REPORTS, REPORTS, frozenset({"reports:read"}))
    for name in BACKENDS[:length]:
        answer = await exchange(world, backend(world, here, client_id=name), token)
        token = answer.json.get("access_token")
    return answer


@pytest.mark.spec("RFC8693-4.1", "TX-3")
async def test_the_chain_of_actors_is_kept_and_has_an_end(world, app):
    fourth = await chain(world, app, 4)

    act, names = payload(fourth.json["access_token"])["act"], []
    while act is not None:
        names.append(act["sub"])
        act = act.get("act")
    assert names == ["fourth", "third", "second", "backend"]
    assert is_refused(await chain(world, app, 5), "invalid_request")


@pytest.mark.spec("RFC8693-4.1", "TX-3", "OC-19")
async def test_an_actor_may_be_named_by_its_token(world, app):
    client = backend(world, TO_BILLING, subject_type="pairwise", sector="backend.example")
    own = await world.token(client, grant_type="client_credentials", resource=REPORTS)
    machine, person = own.json["access_token"], await subject(world, app)

    async def who(token):
        params = {"actor_token": token, "actor_token_type": ACCESS_TOKEN}
        return (await described(world, client, await exchanged(world, client, person, **params)))[
            "act"
        ]

    assert await who(machine) == {"sub": "backend"}
    named = (await who(person))["sub"]
    assert named != str(world.ada.user_id)
    assert named == (await described(world, client, await exchanged(world, client, person)))["sub"]


@pytest.mark.spec("RFC8693-2.1", "TX-2")
async def test_a_bad_actor_is_refused(world, app):
    client = backend(world, TO_BILLING)
    for token in ("garbage", await subject(world, app, "openid")):
        params = {"actor_token": token, "actor_token_type": ACCESS_TOKEN}
        answer = await exchange(world, client, await subject(world, app), **params)
        assert is_refused(answer, "invalid_grant")


@pytest.mark.spec("RFC8693-1.1", "TX-3")
async def test_impersonation_names_nobody_and_only_a_policy_allows_it(world, app):
    client, token = backend(world, AS_THE_PERSON), await subject(world, app)

    said = await described(world, client, await exchanged(world, client, token))
    with_actor = await exchange(
        world, client, token, actor_token=token, actor_token_type=ACCESS_TOKEN
    )

    assert "act" not in said
    assert said["sub"] == str(world.ada.user_id)
    assert is_refused(with_actor, "invalid_request")


@pytest.mark.spec("RFC8693-2.2.1", "TX-5", "TK-14")
async def test_a_token_about_a_client_stays_about_that_client(world):
    first = backend(world, TO_BILLING)
    second = backend(world, ExchangePolicy(DESK, BILLING, BACK), client_id="second")
    own = await world.token(first, grant_type="client_credentials", resource=REPORTS)

    opaque = await exchanged(world, first, own.json["access_token"])
    jwt = await exchanged(world, second, opaque)

    said = await described(world, second, jwt)
    assert payload(jwt)["sub"] == said["sub"] == "backend"
    assert said["client_id"] == "second"
    assert (await world.userinfo(jwt)).status == 403


# --- it ends with what it came from


@pytest.mark.spec("RFC8693-2.2.1", "TX-6")
@pytest.mark.parametrize("ending", ["grant", "person", "client", "asker", "session"])
async def test_it_ends_with_what_the_person_allowed(world, app, ending):
    client = backend(world, TO_BILLING)
    second = backend(world, ExchangePolicy(DESK, BILLING, BACK), client_id="second")
    browser = world.signed_in()
    tokens = await world.tokens(app, browser, scope="openid reports:read")
    first = await exchanged(world, client, tokens["access_token"])
    chained = await exchanged(world, second, first)
    watcher = world.client("watcher", introspects_others=True)
    assert (await described(world, watcher, first))["active"]
    assert (await described(world, watcher, chained))["active"]

    parent = next(iter(world.host.tokens.issues.values()))
    match ending:
        case "grant":
            parent.is_revoked = True
        case "person":
            del world.host.people.persons[world.ada.user_id]
        case "client":
            del world.host.clients.active["app"]
        case "asker":
            del world.host.clients.active["backend"]
        case "session":
            del world.host.people.sessions[browser.cookies["session"]]

    assert await described(world, watcher, first) == {"active": False}
    if ending != "asker":
        assert await described(world, watcher, chained) == {"active": False}
    again = await exchange(world, second, first)
    assert is_refused(again, "invalid_grant")


async def test_it_takes_two_trips(world, app):
    client, token = backend(world, TO_BILLING), await subject(world, app)

    _, trips = await world.trips_of(exchange(world, client, token))

    assert trips == {"find_issue": 1, "issue_exchanged": 1}


@pytest.mark.spec("TX-1", "TK-9")
async def test_where_it_is_off_it_is_no_grant(world, ring, app):
    client, token = backend(world, TO_BILLING), await subject(world, app)
    reissue(world, ring, features=Features(token_exchange=False))

    assert is_refused(await exchange(world, client, token), "unsupported_grant_type")
    listed = (await world.browser().go("/.well-known/openid-configuration")).json
    assert GRANT not in listed["grant_types_supported"]


HOSTILE = st.sampled_from(["", " ", "\t", "a.b.c", REPORTS, BILLING, ACCESS_TOKEN]) | st.text(
    max_size=12
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "subject_token", "subject_token_type", "actor_token", "actor_token_type",
                    "requested_token_type", "resource", "audience", "scope",
                ]
            ),
            HOSTILE,
        ),
        max_size=8,
    )
)  # fmt: skip
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_whatever_is_sent_is_refused_with_an_error_of_the_standard(world, pairs):
    if "backend" not in world.host.clients.active:
        backend(world, TO_BILLING)
    body = urlencode([("grant_type", GRANT), *pairs], errors="surrogatepass").encode()

    answer = await call(
        world.provider, "POST", "/oauth2/token", headers=[FORM, basic("backend")], body=body
    )

    assert answer.status == 400, answer.text
    assert answer.json["error"] in {"invalid_request", "invalid_grant", "invalid_target"}
