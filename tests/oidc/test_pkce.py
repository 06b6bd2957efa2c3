"""Proof Key for Code Exchange, RFC 7636."""

import pytest
from oidc_world import CALLBACK, CHALLENGE, VERIFIER

from insula.oidc.errors import InvalidGrant, InvalidRequest
from insula.oidc.features import pkce


@pytest.mark.spec("RFC7636-4.2")
def test_the_published_example():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert pkce.s256(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.spec("RFC7636-4.6")
def test_a_stolen_code_is_useless_without_its_verifier():
    with pytest.raises(InvalidGrant, match="does not match"):
        pkce.check_verifier("x" * 43, CHALLENGE)


@pytest.mark.spec("RFC7636-4.6")
@pytest.mark.parametrize("verifier", [None, "v" * 42, "v" * 129, "v" * 42 + "ä", "v" * 42 + "\n"])
def test_a_verifier_has_43_to_128_unreserved_characters(verifier):
    with pytest.raises(InvalidGrant, match="43 to 128"):
        pkce.check_verifier(verifier, CHALLENGE)


@pytest.mark.spec("RFC7636-4.1")
@pytest.mark.parametrize("verifier", ["a.b_c~d-" * 6, "v" * 128])
def test_every_unreserved_character_may_stand_in_a_verifier(verifier):
    pkce.check_verifier(verifier, pkce.s256(verifier))


@pytest.mark.spec("RFC7636-4.2", "PK-2")
@pytest.mark.parametrize(
    "challenge",
    ["c" * 42, "c" * 44, "c" * 42 + "=", "c" * 42 + "+", "c" * 42 + " ", "c" * 43 + "\n"],
)
def test_a_challenge_is_43_characters_of_base64url(challenge):
    params = {"code_challenge": challenge, "code_challenge_method": "S256"}

    with pytest.raises(InvalidRequest, match="43 characters"):
        pkce.check_challenge(params, required=False)


@pytest.mark.spec("RFC7636-4.3")
@pytest.mark.parametrize("method", [None, "plain", "s256", "S512"])
def test_an_absent_method_means_plain_and_is_refused(method):
    params = {"code_challenge": CHALLENGE} | ({"code_challenge_method": method} if method else {})

    with pytest.raises(InvalidRequest, match="S256"):
        pkce.check_challenge(params, required=False)


def test_a_method_without_a_challenge_is_refused():
    with pytest.raises(InvalidRequest, match="43 characters"):
        pkce.check_challenge({"code_challenge_method": "S256"}, required=False)


WITHOUT = ("code_challenge", "code_challenge_method")


@pytest.mark.spec("RFC7636-4.4.1", "RFC9700-2.1.1", "PK-3", "AZ-20")
@pytest.mark.parametrize(
    ("profile", "public", "needed"),
    [
        ("oauth21", True, True),
        ("oauth21", False, True),
        ("standard", True, True),
        ("standard", False, False),
    ],
)
async def test_whether_it_is_needed_is_a_matter_of_profile(world, profile, public, needed):
    client = (world.public if public else world.client)("c", profile=profile)

    answer = await world.signed_in().authorize(client, without=WITHOUT)

    assert ("error" in answer.fields) == needed
    assert answer.fields.get("error", "invalid_request") == "invalid_request"


@pytest.mark.spec("RFC7636-4.5")
async def test_a_challenge_that_was_sent_is_enforced_whoever_sent_it(world):
    client = world.client(profile="standard")

    answer = await world.redeem(client, await world.code(client), code_verifier=None)

    assert answer.json["error"] == "invalid_grant"


@pytest.mark.spec("RFC9700-4.8.2", "PK-5")
async def test_a_verifier_without_a_challenge_is_a_downgrade(world):
    client = world.client(profile="standard")
    answer = await world.signed_in().authorize(client, without=WITHOUT)

    downgraded = await world.redeem(client, answer.code)
    again = await world.redeem(client, answer.code, code_verifier=None)

    assert downgraded.json["error"] == "invalid_grant"
    assert again.json["error"] == "invalid_grant"


async def test_a_code_without_a_challenge_needs_no_verifier(world):
    client = world.client(profile="standard")
    answer = await world.signed_in().authorize(client, without=WITHOUT)

    assert (await world.redeem(client, answer.code, code_verifier=None)).status == 200


@pytest.mark.spec("RFC7636-4.6", "PK-6")
@pytest.mark.parametrize("wrong", ["x" * 43, "short", "v" * 44, VERIFIER.upper()])
async def test_a_failed_check_burns_the_code(world, web, wrong):
    code = await world.code(web)

    guessed = await world.redeem(web, code, code_verifier=wrong)
    right = await world.redeem(web, code)

    assert (guessed.status, guessed.json["error"]) == (400, "invalid_grant")
    assert (right.status, right.json["error"]) == (400, "invalid_grant")


@pytest.mark.spec("RFC9700-2.1.1", "PK-7")
async def test_the_challenge_of_the_start_holds_after_sign_in(world, web):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)

    answer = await browser.go(
        "/oauth2/authorize/resume",
        {"txn": str(txn), "code_challenge": pkce.s256("x" * 43), "redirect_uri": "https://evil"},
    )

    assert answer.location.startswith(CALLBACK)
    assert (await world.redeem(web, answer.code)).status == 200
