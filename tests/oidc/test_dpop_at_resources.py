"""Bound tokens and tokens in forms at userinfo (DP-1 to DP-3, DP-6, DP-7, UI-1)."""

import pytest
from oidc_world import FORM, ISSUER, bearer, build, call
from proofs import TOKEN_URL, USERINFO_URL, dpop, named, proof, userinfo
from signed import Key

from insula.kernel import clock
from insula.oidc.models import Features

ALGS = 'algs="ES256 PS256 EdDSA"'


@pytest.fixture
def key():
    return Key()


@pytest.fixture(params=["jwt", "opaque"])
def spa(world, request):
    return world.public(
        access_token_format=request.param, allowed_origins=frozenset({"https://app.example"})
    )


async def token_of(world, client, *proofs):
    code = await world.code(client)
    answer = await world.redeem(client, code, headers=[dpop(each) for each in proofs])
    assert answer.status == 200, answer.text
    return answer.json["access_token"]


@pytest.fixture
async def bound(world, spa, key):
    return await token_of(world, spa, proof(key))


@pytest.fixture
async def free(world, spa):
    return await token_of(world, spa)


def at_userinfo(key, token, **changes):
    return proof(key, "GET", USERINFO_URL, token=token, **changes)


def is_refused(answer, error, scheme, status=401):
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    (challenge,) = answer.all("www-authenticate")
    assert challenge.startswith(f'{scheme} realm="userinfo", error="{error}", error_description="')
    assert challenge.endswith(ALGS) == (scheme == "DPoP")
    assert answer.headers["cache-control"] == "no-store"
    return True


@pytest.mark.spec("DPOP-7.1", "DP-6")
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
async def test_a_bound_token_works_with_its_key(world, bound, key, scheme):
    answer = await userinfo(world, bound, at_userinfo(key, bound), scheme=scheme)

    assert answer.status == 200, answer.text
    assert answer.json["sub"] == str(world.ada.user_id)


@pytest.mark.spec("DPOP-7.2", "DP-6")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
@pytest.mark.parametrize("with_proof", [True, False])
async def test_a_bound_token_is_no_bearer_token(world, bound, key, scheme, with_proof):
    proofs = [at_userinfo(key, bound)] if with_proof else []

    answer = await userinfo(world, bound, *proofs, scheme=scheme)

    assert is_refused(answer, "invalid_token", "Bearer")


@pytest.mark.spec("DPOP-7.1", "DP-6")
async def test_a_bound_token_is_nothing_without_a_proof_of_its_key(world, bound):
    assert is_refused(await userinfo(world, bound), "invalid_token", "DPoP")
    stranger = at_userinfo(Key(), bound)
    assert is_refused(await userinfo(world, bound, stranger), "invalid_token", "DPoP")


@pytest.mark.spec("DPOP-7.1", "DP-6")
async def test_a_token_that_is_not_bound_cannot_be_proven(world, free, key):
    answer = await userinfo(world, free, at_userinfo(key, free))
    assert is_refused(answer, "invalid_token", "DPoP")

    assert (await world.userinfo(free)).status == 200
    assert (await userinfo(world, free, "any proof", scheme="Bearer")).status == 200


@pytest.mark.spec("DPOP-7.1", "DP-6")
async def test_an_unknown_token_is_invalid_under_either_scheme(world, key, spa):
    for token in ("ins_at_" + "x" * 43, "a.b.c"):
        answer = await userinfo(world, token, at_userinfo(key, token))
        assert is_refused(answer, "invalid_token", "DPoP")
    assert spa.is_public


@pytest.mark.spec("DPOP-4.3", "DPOP-7.1", "DP-1", "DP-2", "DP-3")
@pytest.mark.parametrize(
    "changes",
    [
        {"ath": ...},
        {"ath": "x" * 43},
        {"ath": 7},
        {"htm": "POST"},
        {"htu": TOKEN_URL},
        {"htu": ISSUER},
        {"jti": ...},
        {"iat": ...},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": Key().members}},
    ],
    ids=named,
)
async def test_a_bad_proof_is_called_so(world, bound, key, changes):
    answer = await userinfo(world, bound, at_userinfo(key, bound, **changes))

    assert is_refused(answer, "invalid_dpop_proof", "DPoP")


@pytest.mark.spec("DPOP-4.3", "DPOP-7.1", "DP-1")
async def test_one_proof_and_no_garbage(world, bound, key):
    for proofs in (
        ["garbage"],
        [""],
        ["\xff"],
        [at_userinfo(key, bound), at_userinfo(key, bound)],
        [at_userinfo(key, bound, iat=clock.now() - 90)],
    ):
        answer = await userinfo(world, bound, *proofs)
        assert is_refused(answer, "invalid_dpop_proof", "DPoP")


@pytest.mark.spec("DPOP-4.3", "DP-1")
async def test_the_proof_of_another_token_is_not_for_this_one(world, spa, bound, key):
    other = await token_of(world, spa, proof(key))

    answer = await userinfo(world, bound, at_userinfo(key, other))

    assert is_refused(answer, "invalid_dpop_proof", "DPoP")


@pytest.mark.spec("DPOP-11.1", "DP-3")
async def test_a_proof_counts_once(world, bound, key):
    sent = at_userinfo(key, bound)

    assert (await userinfo(world, bound, sent)).status == 200
    assert is_refused(await userinfo(world, bound, sent), "invalid_dpop_proof", "DPoP")


async def test_it_takes_one_trip_more_and_a_bad_one_takes_none(world, spa, bound, key):
    find = {"jwt": "find_issue", "opaque": "find_access_token"}[spa.access_token_format]
    _, trips = await world.trips_of(userinfo(world, bound, at_userinfo(key, bound)))
    assert trips == {find: 1, "is_first": 1}

    _, trips = await world.trips_of(userinfo(world, bound, at_userinfo(key, bound, ath="x")))
    assert trips == {}
    _, trips = await world.trips_of(userinfo(world, bound, at_userinfo(Key(), bound)))
    assert trips == {find: 1}


@pytest.mark.spec("RFC6750-3", "DPOP-7.1", "BR-2")
async def test_the_bare_challenge_names_both_schemes(world):
    answer = await call(world.provider, "GET", "/oauth2/userinfo")

    assert answer.status == 401
    assert answer.body == b""
    assert answer.all("www-authenticate") == [
        f'DPoP realm="userinfo", {ALGS}',
        'Bearer realm="userinfo"',
    ]


async def test_where_dpop_is_off_there_is_one_scheme_only(world, ring, bound, key):
    world.provider = build(world.host, ring, features=Features(dpop=False))

    proven = await userinfo(world, bound, at_userinfo(key, bound))

    assert proven.status == 401
    assert proven.all("www-authenticate") == ['Bearer realm="userinfo"']
    assert is_refused(await world.userinfo(bound), "invalid_token", "Bearer")  # still bound


@pytest.mark.spec("DPOP-9", "DP-7")
async def test_a_nonce_is_asked_for_where_that_is_on(world, ring, bound, key):
    world.provider = build(world.host, ring, features=Features(dpop_nonce=True), dpop_key=b"k")
    origin = ("origin", "https://app.example")
    headers = [("authorization", f"DPoP {bound}"), origin]

    refused = await call(
        world.provider,
        "GET",
        "/oauth2/userinfo",
        headers=[*headers, dpop(at_userinfo(key, bound))],
    )
    assert is_refused(refused, "use_dpop_nonce", "DPoP")
    assert refused.headers["access-control-allow-origin"] == "https://app.example"
    assert "DPoP-Nonce" in refused.headers["access-control-expose-headers"]
    nonce = refused.headers["dpop-nonce"]

    answer = await userinfo(world, bound, at_userinfo(key, bound, nonce=nonce))
    assert answer.status == 200
    assert answer.headers["dpop-nonce"] == nonce


# --- a token in a form --------------------------------------------------------------------


async def form(world, body, *headers, method="POST", query=b""):
    sent = [FORM, *headers] if method == "POST" else headers
    return await call(
        world.provider, method, "/oauth2/userinfo", headers=sent, body=body, query=query
    )


@pytest.fixture
def by_form(world, ring):
    world.provider = build(world.host, ring, features=Features(userinfo_body_token=True))


@pytest.mark.spec("OIDCC-5.3.1", "RFC6750-2.2", "UI-1")
async def test_a_form_may_carry_the_token_where_that_is_on(world, by_form, free):
    assert by_form is None
    answer = await form(world, f"access_token={free}".encode())

    assert answer.status == 200
    assert answer.json["sub"] == str(world.ada.user_id)


@pytest.mark.spec("OIDCC-5.3.1", "UI-1")
async def test_by_default_it_may_not(world, free):
    answer = await form(world, f"access_token={free}".encode())

    assert is_refused(answer, "invalid_request", "Bearer", 400)


@pytest.mark.spec("RFC6750-2", "UI-1", "BR-1")
async def test_a_token_travels_one_way_only(world, by_form, free):
    assert by_form is None
    body = f"access_token={free}".encode()
    for answer in (
        await form(world, body, bearer(free)),
        await form(world, body + b"&" + body),
        await form(world, body + b"&access_token="),
        await form(world, b"", query=body),
        await form(world, body, query=body),
        await form(world, b"", method="GET", query=body),
        await form(world, b"access_token="),
    ):
        assert is_refused(answer, "invalid_request", "Bearer", 400)


@pytest.mark.spec("DPOP-7.2", "DP-6")
async def test_a_bound_token_does_not_travel_in_a_form(world, by_form, bound, key):
    assert by_form is None
    sent = dpop(proof(key, "POST", USERINFO_URL, token=bound))

    answer = await form(world, f"access_token={bound}".encode(), sent)

    assert is_refused(answer, "invalid_token", "Bearer")
