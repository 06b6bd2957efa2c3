"""Devices without a keyboard at the endpoints: RFC 8628 (DV-1, DV-2, DV-5, DV-6)."""

import re
from uuid import uuid4

import jwt as pyjwt
import pytest
from oidc_world import ISSUER, build, call
from proofs import dpop, proof
from signed import Key

from insula.oidc.endpoints import device as endpoint
from insula.oidc.memory import MAX_FAILURES
from insula.oidc.models import Features, Lifetimes, Person, ResourceServer

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = frozenset({DEVICE, "refresh_token"})
ORDERS = "https://orders.example"
STOCK = "https://stock.example"
APIS = {
    ORDERS: ResourceServer(ORDERS, "Orders", scopes=frozenset({"api:read"})),
    STOCK: ResourceServer(STOCK, "Stock", scopes=frozenset({"api:write"})),
}
OFFLINE = "openid offline_access"


@pytest.fixture
def tv(world):
    return world.client("tv", grant_types=GRANTS)


@pytest.fixture
def ada(world):
    """Ada's session, as the page's approval writes it down."""
    return world.host.people.sessions[world.host.people.sign_in(world.ada)]


async def begin(world, client, *, headers=None, **params):
    return await world.post("/oauth2/device", client, {"scope": "openid"} | params, headers=headers)


async def codes(world, client, **params):
    answer = await begin(world, client, **params)
    assert answer.status == 200, answer.text
    return answer.json


async def poll(world, client, given, *, headers=None, **params):
    params = {"device_code": given["device_code"]} | params
    return await world.token(client, grant_type=DEVICE, headers=headers, **params)


async def approved(world, client, ada, **params):
    given = await codes(world, client, **params)
    world.host.devices.approve(given["user_code"], ada, world.ada)
    return given


def is_refused(answer, error, status=400):
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return True


# --- asking for codes ---------------------------------------------------------------------


@pytest.mark.spec("RFC8628-3.1", "RFC8628-3.2", "DV-1", "DV-2")
async def test_a_device_gets_a_long_code_and_one_that_people_can_type(world, tv):
    answer = await begin(world, tv)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    says = answer.json
    assert re.fullmatch(r"ins_dc_[\w-]{43}", says.pop("device_code"))
    shown = says.pop("user_code")
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", shown)
    assert says == {
        "verification_uri": f"{ISSUER}/device",
        "verification_uri_complete": f"{ISSUER}/device?user_code={shown}",
        "expires_in": 600,
        "interval": 5,
    }


@pytest.mark.spec("RFC8628-3.2", "DV-2")
async def test_no_two_devices_get_the_same_codes(world, tv):
    given = [await codes(world, tv) for _ in range(50)]

    assert len({each["device_code"] for each in given}) == 50
    assert len({each["user_code"] for each in given}) == 50


@pytest.mark.spec("RFC8628-6.1", "DV-2")
async def test_a_code_that_another_device_shows_is_not_given_again(world, tv, monkeypatch):
    letters = iter("B" * 8 + "B" * 8 + "C" * 8)
    monkeypatch.setattr(endpoint.secrets, "choice", lambda _: next(letters))

    assert (await codes(world, tv))["user_code"] == "BBBB-BBBB"
    assert (await codes(world, tv))["user_code"] == "CCCC-CCCC"


@pytest.mark.spec("RFC8628-6.1", "DV-2")
async def test_when_no_code_is_free_the_device_is_told_to_come_again(world, tv, monkeypatch):
    monkeypatch.setattr(endpoint.secrets, "choice", lambda _: "B")
    await codes(world, tv)

    answer = await begin(world, tv)

    assert is_refused(answer, "temporarily_unavailable", 503)


@pytest.mark.spec("RFC8628-3.2", "DV-2")
async def test_their_life_is_the_issuers(world, ring, tv, ada, later):
    world.provider = build(world.host, ring, lifetimes=Lifetimes(device_code=60))
    given = await approved(world, tv, ada)
    assert given["expires_in"] == 60

    later(61)

    assert is_refused(await poll(world, tv, given), "expired_token")


@pytest.mark.spec("RFC8628-3.1", "DV-1")
async def test_a_client_proves_itself_as_it_is_registered(world, tv):
    wrong = [("authorization", "Basic dHY6d3Jvbmc=")]
    public = world.public("tv-public", grant_types=GRANTS)

    refused = await begin(world, tv, headers=wrong)

    assert is_refused(refused, "invalid_client", 401)
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert "device_code" in await codes(world, public)


@pytest.mark.spec("RFC8628-3.1", "DV-1", "CA-10")
async def test_failed_proofs_are_counted_here_too(world, tv):
    wrong = [("authorization", "Basic dHY6d3Jvbmc=")]
    for _ in range(MAX_FAILURES):
        await begin(world, tv, headers=wrong)

    assert (await begin(world, tv)).status == 429


@pytest.mark.spec("RFC8628-3.1", "DV-1")
async def test_a_client_without_the_grant_is_refused_at_both_endpoints(world, web, tv):
    given = await codes(world, tv)

    assert is_refused(await begin(world, web), "unauthorized_client")
    assert is_refused(await poll(world, web, given), "unauthorized_client")


@pytest.mark.spec("RFC9396-2", "RA-1")
async def test_a_device_that_asks_for_less_than_its_scopes_is_refused(world, tv):
    answer = await begin(world, tv, authorization_details='[{"type":"payment"}]')

    assert is_refused(answer, "invalid_authorization_details")


@pytest.mark.spec("RFC8628-3.1", "DV-1")
@pytest.mark.parametrize("scope", ["made-up", "openid made-up", "openid api:write"])
async def test_a_scope_that_is_unknown_or_not_the_clients_is_refused(world, tv, scope):
    assert is_refused(await begin(world, tv, scope=scope), "invalid_scope")


@pytest.mark.spec("RFC8628-3.1", "DV-1")
async def test_without_a_scope_the_clients_own_default_counts(world, tv):
    told = world.client("told", grant_types=GRANTS, default_scopes=frozenset({"openid", "email"}))

    assert is_refused(await begin(world, tv, scope=None), "invalid_scope")
    given = await codes(world, told, scope=None)
    waiting = world.host.devices.waiting[given["device_code"]]
    assert waiting.new.scopes == {"openid", "email"}


@pytest.mark.spec("RFC8628-3.1")
@pytest.mark.parametrize(
    ("method", "query", "status"), [("GET", b"", 405), ("POST", b"client_secret=x", 400)]
)
async def test_only_a_form_that_is_posted_is_read(world, method, query, status):
    answer = await call(world.provider, method, "/oauth2/device", query=query)

    assert answer.status == status
    assert method != "GET" or answer.headers["allow"] == "POST"


@pytest.mark.spec("RFC8628-4", "DV-1")
async def test_switched_off_there_is_no_such_thing(world, ring, tv):
    given = await codes(world, tv)
    world.provider = build(world.host, ring, features=Features(device=False))

    assert (await begin(world, tv)).status == 404
    assert is_refused(await poll(world, tv, given), "unsupported_grant_type")
    metadata = (await call(world.provider, "GET", "/.well-known/openid-configuration")).json
    assert "device_authorization_endpoint" not in metadata
    assert DEVICE not in metadata["grant_types_supported"]


# --- polling ------------------------------------------------------------------------------


@pytest.mark.spec("RFC8628-3.4", "RFC8628-3.5", "DV-5", "DV-6")
async def test_it_waits_for_the_person_and_then_gets_what_they_allowed(world, tv, ada, later):
    given = await codes(world, tv, scope="openid profile")
    assert is_refused(await poll(world, tv, given), "authorization_pending")
    world.host.devices.approve(given["user_code"], ada, world.ada)
    later(6)

    answer = await poll(world, tv, given)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "openid profile"
    assert "refresh_token" not in answer.json
    says = pyjwt.decode(answer.json["id_token"], options={"verify_signature": False})
    assert says["aud"] == "tv"
    assert {"sid", "nonce"}.isdisjoint(says)
    assert (await world.userinfo(answer.json["access_token"])).json["sub"] == says["sub"]


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_each_poll_that_comes_too_soon_makes_the_wait_five_seconds_longer(world, tv, later):
    given = await codes(world, tv)
    assert is_refused(await poll(world, tv, given), "authorization_pending")
    for wait in (5, 10, 15, 20):
        later(wait - 1)
        assert is_refused(await poll(world, tv, given), "slow_down")
    later(24)
    assert is_refused(await poll(world, tv, given), "slow_down")
    later(30)
    assert is_refused(await poll(world, tv, given), "authorization_pending")


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_the_wait_never_grows_beyond_a_minute(world, tv, later):
    given = await codes(world, tv)
    for _ in range(20):
        await poll(world, tv, given)
    later(59)
    assert is_refused(await poll(world, tv, given), "slow_down")
    later(60)
    assert is_refused(await poll(world, tv, given), "authorization_pending")


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_an_impatient_device_waits_although_it_is_allowed(world, tv, ada, later):
    given = await codes(world, tv)
    await poll(world, tv, given)
    world.host.devices.approve(given["user_code"], ada, world.ada)

    assert is_refused(await poll(world, tv, given), "slow_down")
    later(11)
    assert (await poll(world, tv, given)).status == 200


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_a_refusal_is_told_as_often_as_it_is_asked_for(world, tv, later):
    given = await codes(world, tv)
    world.host.devices.deny(given["user_code"])

    for _ in range(2):
        assert is_refused(await poll(world, tv, given), "access_denied")
        later(6)


@pytest.mark.spec("RFC8628-3.5", "DV-5")
@pytest.mark.parametrize("decided", ["pending", "approved", "denied"])
async def test_an_expired_code_is_told_whatever_was_decided(world, tv, ada, later, decided):
    given = await codes(world, tv)
    if decided == "approved":
        world.host.devices.approve(given["user_code"], ada, world.ada)
    if decided == "denied":
        world.host.devices.deny(given["user_code"])

    later(601)

    assert is_refused(await poll(world, tv, given), "expired_token")


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_a_code_is_good_for_one_answer(world, tv, ada, later):
    given = await approved(world, tv, ada)
    assert (await poll(world, tv, given)).status == 200
    later(6)

    assert is_refused(await poll(world, tv, given), "invalid_grant")


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_another_clients_poll_is_refused_and_spoils_nothing(world, tv, ada):
    other = world.client("other", grant_types=GRANTS)
    given = await approved(world, tv, ada)

    assert is_refused(await poll(world, other, given), "invalid_grant")
    assert (await poll(world, tv, given)).status == 200


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_what_was_never_a_code_is_refused_as_an_unknown_one(world, tv):
    given = await codes(world, tv)
    for wrong in (
        "x",
        given["device_code"][:-1],
        given["device_code"].upper(),
        given["user_code"],
    ):
        answer = await poll(world, tv, {"device_code": wrong})
        assert is_refused(answer, "invalid_grant")
    assert is_refused(await poll(world, tv, {"device_code": None}), "invalid_request")


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
async def test_whoever_is_gone_by_then_lets_nobody_in(world, tv, ada):
    given = await approved(world, tv, ada)
    del world.host.people.persons[ada.user_id]

    assert is_refused(await poll(world, tv, given), "invalid_grant")


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_of_two_polls_that_both_read_an_approval_one_gets_tokens(world, tv, ada):
    given = await approved(world, tv, ada)
    device = world.host.devices.waiting[given["device_code"]]
    whole = world.host.devices.redeem

    async def redeem_late(redemption):
        device.status = "redeemed"  # by another process, between the read and the statement
        return await whole(redemption)

    world.host.devices.redeem = redeem_late

    assert is_refused(await poll(world, tv, given), "invalid_grant")


# --- what comes of it ---------------------------------------------------------------------


@pytest.mark.spec("RFC8628-3.4", "RT-1")
async def test_a_device_that_may_stay_connected_gets_a_refresh_token(world, tv, ada):
    given = await approved(world, tv, ada, scope=OFFLINE)

    tokens = (await poll(world, tv, given)).json

    assert (await world.refresh(tv, tokens["refresh_token"])).status == 200


@pytest.mark.spec("RFC8628-3.4", "RT-1")
async def test_a_client_without_the_refresh_grant_gets_none(world, ada):
    shy = world.client("shy", grant_types=frozenset({DEVICE}))
    given = await approved(world, shy, ada, scope=OFFLINE)

    tokens = (await poll(world, shy, given)).json

    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid"


@pytest.mark.spec("RFC8628-3.4")
async def test_without_openid_there_is_no_id_token(world, tv, ada):
    given = await approved(world, tv, ada, scope="api:read")

    assert "id_token" not in (await poll(world, tv, given)).json


@pytest.mark.spec("RFC8707-2", "DV-1")
async def test_a_device_asks_for_the_api_that_it_talks_to(world, ring, ada):
    world.provider = build(world.host, ring, resources=APIS)
    tv = world.client("tv", grant_types=GRANTS, resources=frozenset({ORDERS}))

    refused = await begin(world, tv, resource=STOCK)
    unknown = await begin(world, tv, resource="https://nobody.example")
    given = await approved(world, tv, ada, scope="api:read", resource=ORDERS)
    token = (await poll(world, tv, given)).json["access_token"]

    assert is_refused(refused, "invalid_target")
    assert is_refused(unknown, "invalid_target")
    assert pyjwt.decode(token, options={"verify_signature": False})["aud"] == ORDERS


@pytest.mark.spec("RFC8707-2.2")
async def test_an_api_that_was_not_asked_for_first_is_refused_and_spends_nothing(
    world, ring, ada, later
):
    world.provider = build(world.host, ring, resources=APIS)
    tv = world.client("tv", grant_types=GRANTS, resources=frozenset(APIS))
    given = await approved(world, tv, ada, scope="api:read", resource=ORDERS)

    assert is_refused(await poll(world, tv, given, resource=STOCK), "invalid_target")
    later(6)
    assert (await poll(world, tv, given, resource=ORDERS)).status == 200


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_tokens_of_a_device_are_bound_to_its_key(world, ada):
    key, other = Key(), Key()
    tv = world.public("tv", grant_types=GRANTS)
    given = await approved(world, tv, ada, scope=OFFLINE)

    tokens = (await poll(world, tv, given, headers=[dpop(proof(key))])).json

    assert tokens["token_type"] == "DPoP"
    says = pyjwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert says["cnf"] == {"jkt": key.thumbprint}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    stolen = await world.token(tv, headers=[dpop(proof(other))], **refresh)
    assert stolen.status == 400
    assert (await world.token(tv, headers=[dpop(proof(key))], **refresh)).status == 200


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_a_client_that_must_bind_its_tokens_does_so_here(world, ada):
    bound = world.public("bound", grant_types=GRANTS, dpop_bound_access_tokens=True)
    given = await approved(world, bound, ada)

    assert is_refused(await poll(world, bound, given), "invalid_dpop_proof")


@pytest.mark.spec("RFC8628-3.4", "OIDCBCL-2.1", "LO-6")
async def test_a_client_that_is_told_of_sign_outs_learns_which_session_it_is_part_of(world, ada):
    told = world.client(
        "told", grant_types=GRANTS, backchannel_logout_uri="https://app.example/out"
    )
    given = await approved(world, told, ada)

    token = (await poll(world, told, given)).json["id_token"]

    assert pyjwt.decode(token, options={"verify_signature": False})["sid"] == ada.sid


@pytest.mark.spec("RFC8628-3.4", "OIDCC-8")
async def test_the_person_is_the_one_who_allowed_it(world, tv):
    bea = Person(uuid4(), {"name": "Bea"})
    world.host.people.persons[bea.user_id] = bea
    theirs = world.host.people.sessions[world.host.people.sign_in(bea)]
    given = await codes(world, tv, scope="openid profile")
    world.host.devices.approve(given["user_code"], theirs, bea)

    tokens = (await poll(world, tv, given)).json

    assert (await world.userinfo(tokens["access_token"])).json["name"] == "Bea"
