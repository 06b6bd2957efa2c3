"""What a registration refers to is fetched through the door before it is believed."""

import pytest
from registrar import MINIMAL, REDIRECT
from signed import Key, asserting, signed_assertion

OTHER = "https://other.example/callback"


@pytest.mark.spec("OIDCR-5", "OIDCC-8.1", "DR-7")
def test_a_sector_that_names_every_redirect_is_believed(initech, others):
    sector = others.page("/sector", [OTHER, REDIRECT, "https://more.example/"])

    client = initech.register(
        sector_identifier_uri=sector, subject_type="pairwise", redirect_uris=[REDIRECT, OTHER]
    )

    assert client["sector_identifier_uri"] == sector
    assert "/sector" in others.asked


@pytest.mark.spec("OIDCR-5", "DR-7")
@pytest.mark.parametrize(
    "document",
    [[REDIRECT], [], {"redirect_uris": [REDIRECT, OTHER]}, [REDIRECT, OTHER, 7], "x", b"x", b"\xff",
     [REDIRECT + "/", OTHER], b"[" * 30000, b" " * 70000],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_sector_that_does_not_is_refused(initech, others, document):
    sector = others.page("/bad-sector", document)

    error = initech.refused(sector_identifier_uri=sector, redirect_uris=[REDIRECT, OTHER])

    assert error == "invalid_client_metadata"


@pytest.mark.spec("OIDCR-5", "DR-7")
def test_a_sector_without_its_document_is_refused(initech, others):
    text = others.page("/text", [REDIRECT], content_type="text/plain")

    assert initech.refused(sector_identifier_uri=text) == "invalid_client_metadata"
    nowhere = others.url("/nowhere")
    assert initech.refused(sector_identifier_uri=nowhere) == "invalid_client_metadata"


@pytest.mark.spec("security row 8", "DR-7")
def test_a_document_inside_is_not_fetched_and_looks_like_one_that_is_away(initech):
    inside = {**MINIMAL, "sector_identifier_uri": "https://169.254.169.254/latest"}
    away = {**MINIMAL, "sector_identifier_uri": "https://nothing.invalid/sector"}

    answers = [initech.post(members, token=initech.token()) for members in (inside, away)]

    assert {answer.status_code for answer in answers} == {400}
    assert answers[0].content == answers[1].content


@pytest.mark.spec("OIDCR-2", "DR-6")
def test_published_keys_are_looked_at_and_believed(initech, others):
    where = others.page("/jwks", {"keys": [{"kty": "EC", "crv": "P-384"}, Key().jwk]})

    client = initech.register(jwks_uri=where, token_endpoint_auth_method="private_key_jwt")  # noqa: S106

    assert client["jwks_uri"] == where
    assert "client_secret" not in client
    assert "/jwks" in others.asked


@pytest.mark.spec("OIDCR-2", "DR-6")
@pytest.mark.parametrize(
    "document",
    [[], {"keys": {}}, {"keys": []}, b"x", {"keys": [{**Key().jwk, "d": "AQ"}]},
     {"keys": [{"kty": "oct", "k": "AQ"}]}, {"keys": [Key(kid=str(n)).jwk for n in range(21)]}],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_published_keys_that_are_none_are_refused(initech, others, document):
    where = others.page("/bad-jwks", document)

    assert initech.refused(jwks_uri=where) == "invalid_client_metadata"


@pytest.mark.spec("OIDCR-2", "DR-6")
def test_keys_whose_host_is_away_are_asked_for_when_they_are_needed(initech):
    client = initech.register(jwks_uri="https://nothing.invalid/jwks")

    assert client["jwks_uri"] == "https://nothing.invalid/jwks"


@pytest.mark.spec("OIDCR-2", "CA-4", "DR-6")
def test_a_client_proves_itself_with_the_keys_it_registered(initech, others):
    issuer = initech.product.issuer("soylent")
    inside, published = Key(), Key(kid="published")
    where = others.page("/mine", {"keys": [published.jwk]})
    machine = {
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "token_endpoint_auth_method": "private_key_jwt",
    }
    for key, registered in (
        (inside, {"jwks": {"keys": [inside.jwk]}}),
        (published, {"jwks_uri": where}),
    ):
        client = initech.register(**machine, **registered)
        answer = initech.http.post(
            "/oauth2/token",
            data={
                "grant_type": "client_credentials",
                **asserting(signed_assertion(key, client["client_id"], issuer)),
            },
        )
        assert answer.status_code == 200, answer.text
