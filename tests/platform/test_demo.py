"""The demo application as a relying party: a sign-on, and each answer it must not believe."""

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from insula.platform.demo.app import create_app
from insula.platform.demo.localhost import LocalhostTransport
from insula.platform.demo.registrations import Registration, read

DEMO = "http://127.0.0.1:8001"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"})
STRANGERS_KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"})


def b64(value):
    return base64.urlsafe_b64encode(value).decode().strip("=")


def s256(value, size=32):
    return b64(hashlib.sha256(value.encode()).digest()[:size])


class Provider:
    """A provider that answers as it should, but for what a test changes in it."""

    def __init__(self, issuer, client_id, client_secret):
        self.issuer, self.client_id = issuer, client_id
        self.authorization = httpx2.BasicAuth(client_id, client_secret)._auth_header  # noqa: SLF001
        self.metadata, self.claims, self.header = {}, {}, {}
        self.tokens, self.userinfo = {}, {}
        self.key, self.forge = KEY, None
        self.asked = {}
        self.seen_forms = []

    def answer(self, location, **changes):
        """Sign somebody in: what the browser brings back from the authorization endpoint."""
        self.asked = {name: found[0] for name, found in parse_qs(urlsplit(location).query).items()}
        found = {"code": "c0de", "state": self.asked["state"], "iss": self.issuer} | changes
        return {name: value for name, value in found.items() if value is not None}

    def id_token(self, access_token):
        claims = {
            "iss": self.issuer,
            "sub": "ada",
            "aud": self.client_id,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            "auth_time": 1700000000,
            "nonce": self.asked["nonce"],
            "at_hash": s256(access_token, 16),
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": "k1"} | self.header
        if self.forge:
            signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
            return f"{signed}.{b64(self.forge(signed))}"
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])

    def handle(self, request):
        path = request.url.path
        assert request.headers["host"] == urlsplit(self.issuer).netloc
        if path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json=self.discovery())
        if path == "/jwks":
            return httpx2.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        if path == "/token":
            return self.handle_token(request)
        assert path == "/userinfo"
        assert request.headers["authorization"].startswith("Bearer at-")
        return httpx2.Response(200, json={"sub": "ada", "name": "Ada Lovelace"} | self.userinfo)

    def discovery(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def handle_token(self, request):
        form = {name: found[0] for name, found in parse_qs(request.content.decode()).items()}
        self.seen_forms.append(form)
        assert request.headers["authorization"] == self.authorization
        if form["grant_type"] == "authorization_code":
            assert s256(form["code_verifier"]) == self.asked["code_challenge"]
            assert form["redirect_uri"] == self.asked["redirect_uri"]
        access_token = f"at-{len(self.seen_forms)}"
        answer = {
            "token_type": "Bearer",
            "access_token": access_token,
            "id_token": self.id_token(access_token),
            "refresh_token": f"rt-{len(self.seen_forms)}",
            "expires_in": 300,
            "scope": "openid profile offline_access",
        } | self.tokens
        if "error" in answer:
            return httpx2.Response(400, json=answer)
        return httpx2.Response(200, json=answer)


def registration(slug):
    return Registration(
        slug=slug,
        issuer=f"http://{slug}.localhost:8000",
        client_id=f"{slug} web",
        client_secret="s:cret/",  # noqa: S106  # known to this test only
        redirect_uri=f"{DEMO}/callback/{slug}",
        people=(f"user@{slug}.example", f"admin@{slug}.example"),
    )


@pytest.fixture
def providers():
    # RFC6749-2.3.1: a space becomes %20 and a colon %3A before they become user and password.
    return {
        slug: Provider(f"http://{slug}.localhost:8000", f"{slug}%20web", "s%3Acret%2F")
        for slug in ("acme", "globex")
    }


@pytest.fixture
def acme(providers):
    providers["acme"].client_id = "acme web"
    return providers["acme"]


@pytest.fixture
def globex(providers):
    providers["globex"].client_id = "globex web"
    return providers["globex"]


@pytest.fixture
async def browser(acme, globex):
    handlers = {"acme.localhost:8000": acme, "globex.localhost:8000": globex}

    def handle(request):
        assert request.url.host == "127.0.0.1"
        return handlers[request.headers["host"]].handle(request)

    app = create_app(
        {slug: registration(slug) for slug in ("acme", "globex")},
        LocalhostTransport(httpx2.MockTransport(handle)),
    )
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url=DEMO) as client:
        yield client


async def sign_in(browser, provider, slug="acme", **changes):
    begun = await browser.get(f"/sign-in/{slug}")
    answer = provider.answer(begun.headers["location"], **changes)
    return await browser.get(f"/callback/{slug}", params=answer, follow_redirects=True)


async def post(browser, path):
    return await browser.post(path, headers={"origin": DEMO})


async def test_a_whole_sign_on_ends_with_the_decoded_tokens(browser, acme):
    home = await browser.get("/")
    page = await sign_in(browser, acme)

    assert "Sign in with Acme" in home.text
    assert "Sign in with Globex" in home.text
    assert page.status_code == 200
    assert page.url == f"{DEMO}/tenants/acme"
    assert "Ada Lovelace" in page.text
    assert acme.asked["nonce"] in page.text
    assert acme.asked["redirect_uri"] == f"{DEMO}/callback/acme"
    assert acme.asked["code_challenge_method"] == "S256"


async def test_the_two_tenants_are_signed_in_to_separately(browser, acme, globex):
    await sign_in(browser, acme)
    assert (await browser.get("/tenants/globex")).headers["location"] == "/"

    await sign_in(browser, globex, "globex")

    home = await browser.get("/")
    assert home.text.count("Signed in") == 2


async def test_the_refresh_button_shows_new_tokens_of_the_same_sign_in(browser, acme):
    before = await sign_in(browser, acme)
    acme.claims = {"nonce": None}

    after = await browser.get((await post(browser, "/tenants/acme/refresh")).headers["location"])

    assert acme.seen_forms[-1] == {"grant_type": "refresh_token", "refresh_token": "rt-1"}
    assert "used 0 times" in before.text
    assert "used 1 time" in after.text
    assert "at-2" in after.text


async def test_the_refresh_token_is_never_sent_to_the_browser(browser, acme):
    page = await sign_in(browser, acme)

    assert "rt-1" not in page.text


async def test_signing_out_ends_here_and_then_at_the_tenant(browser, acme):
    await sign_in(browser, acme)

    gone = await post(browser, "/tenants/acme/sign-out")

    target = urlsplit(gone.headers["location"])
    asked = {name: found[0] for name, found in parse_qs(target.query).items()}
    assert f"{target.scheme}://{target.netloc}{target.path}" == "http://acme.localhost:8000/end"
    assert asked["post_logout_redirect_uri"] == f"{DEMO}/signed-out"
    assert asked["id_token_hint"].count(".") == 2
    back = await browser.get("/signed-out", params={"state": asked["state"]})
    assert "You are signed out of Acme." in back.text
    assert (await browser.get("/tenants/acme")).headers["location"] == "/"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "http://globex.localhost:8000"}, "&#39;iss&#39;"),
        ({"aud": "another"}, "&#39;aud&#39;"),
        ({"aud": ["acme web", "another"]}, "another application"),
        ({"azp": "another"}, "another application"),
        ({"exp": 1700000000}, "expired"),
        ({"iat": 4000000000}, "future"),
        ({"nonce": "older"}, "&#39;nonce&#39;"),
        ({"nonce": None}, "&#39;nonce&#39;"),
        ({"at_hash": "AAAA"}, "access token is not the one"),
        ({"at_hash": None}, "access token is not the one"),
        ({"sub": "eve"}, "another person"),
    ],
)
async def test_an_id_token_with_a_wrong_claim_is_refused(browser, acme, claims, reason):
    acme.claims = claims

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert reason in page.text
    assert (await browser.get("/tenants/acme")).headers["location"] == "/"


async def test_an_id_token_of_a_strangers_key_is_refused(browser, acme):
    acme.key = STRANGERS_KEY

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert "bad_signature" in page.text


async def test_an_id_token_that_is_signed_with_the_public_key_as_a_secret_is_refused(browser, acme):
    public = KEY.as_pem(private=False)
    acme.header = {"alg": "HS256"}
    acme.forge = lambda signed: hmac.digest(public, signed.encode(), "sha256")

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert "not valid" in page.text


async def test_an_id_token_without_a_signature_is_refused(browser, acme):
    acme.header = {"alg": "none"}
    acme.forge = lambda _: b""

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert "not valid" in page.text


async def test_an_access_token_in_the_place_of_the_id_token_is_refused(browser, acme):
    acme.header = {"typ": "at+jwt"}

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert "type at+jwt" in page.text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"iss": "http://globex.localhost:8000"}, "comes from http://globex.localhost:8000"),
        ({"iss": None}, "an unnamed issuer"),
        ({"state": "guess"}, "began no such sign-in"),
        ({"state": None}, "began no such sign-in"),
        ({"code": None}, "neither a code nor an error"),
        ({"code": None, "error": "access_denied"}, "refused: access_denied"),
    ],
)
async def test_an_answer_that_was_not_asked_for_is_refused(browser, acme, answer, reason):
    page = await sign_in(browser, acme, **answer)

    assert page.status_code == 400
    assert reason in page.text
    assert acme.seen_forms == []


async def test_an_answer_is_taken_once(browser, acme):
    begun = await browser.get("/sign-in/acme")
    answer = acme.answer(begun.headers["location"])
    await browser.get("/callback/acme", params=answer)

    again = await browser.get("/callback/acme", params=answer)

    assert again.status_code == 400
    assert len(acme.seen_forms) == 1


async def test_the_answer_for_one_tenant_is_not_taken_for_another(browser, acme, globex):
    begun = await browser.get("/sign-in/acme")
    answer = acme.answer(begun.headers["location"], iss=globex.issuer)

    page = await browser.get("/callback/globex", params=answer)

    assert page.status_code == 400
    assert globex.seen_forms == []


async def test_another_browser_cannot_finish_a_sign_in(browser, acme):
    begun = await browser.get("/sign-in/acme")
    answer = acme.answer(begun.headers["location"])
    browser.cookies.clear()

    page = await browser.get("/callback/acme", params=answer)

    assert page.status_code == 400


async def test_a_session_id_from_before_the_sign_in_is_worth_nothing(browser, acme):
    await browser.get("/sign-in/acme")
    planted = browser.cookies["insula_demo"]
    await sign_in(browser, acme)

    browser.cookies.clear()
    page = await browser.get("/tenants/acme", headers={"cookie": f"insula_demo={planted}"})

    assert page.headers["location"] == "/"


@pytest.mark.parametrize("claims", [{"sub": "eve"}, {"auth_time": 1}, {"nonce": "other"}])
async def test_a_refresh_that_answers_for_another_sign_in_is_refused(browser, acme, claims):
    await sign_in(browser, acme)
    acme.claims = claims
    acme.userinfo = {"sub": claims.get("sub", "ada")}

    page = await post(browser, "/tenants/acme/refresh")

    assert page.status_code == 400


async def test_without_a_refresh_token_there_is_no_refresh_button(browser, acme):
    acme.tokens = {"refresh_token": None}

    page = await sign_in(browser, acme)

    assert "/tenants/acme/refresh" not in page.text
    assert "offline_access was not granted" in page.text


async def test_a_refused_code_is_explained_in_the_providers_words(browser, acme):
    acme.tokens = {"error": "invalid_grant", "error_description": "code was spent"}

    page = await sign_in(browser, acme)

    assert page.status_code == 400
    assert "invalid_grant (code was spent)" in page.text


async def test_discovery_that_names_another_issuer_is_refused(browser, acme):
    acme.metadata = {"issuer": "http://globex.localhost:8000"}

    page = await browser.get("/sign-in/acme")

    assert page.status_code == 400


@pytest.mark.parametrize("action", ["refresh", "sign-out"])
async def test_a_form_of_another_page_changes_nothing(browser, acme, action):
    await sign_in(browser, acme)

    refused = await browser.post(
        f"/tenants/acme/{action}", headers={"origin": "http://127.0.0.1:9999"}
    )

    assert refused.status_code == 403
    assert (await browser.get("/tenants/acme")).status_code == 200
    assert len(acme.seen_forms) == 1


async def test_a_name_that_points_here_is_not_served(browser):
    page = await browser.get("/", headers={"host": "evil.example:8001"})

    assert page.status_code == 400


async def test_an_unknown_tenant_is_not_found(browser):
    assert (await browser.get("/sign-in/initech")).status_code == 404


def test_registrations_are_read_from_the_development_file(tmp_path):
    file = tmp_path / "dev.json"
    file.write_text("""
        {"tenants": [{"slug": "acme", "host": "acme.localhost:8000",
          "issuer": "http://acme.localhost:8000",
          "admin": {"email": "admin@acme.example", "password": "x"},
          "user": {"email": "user@acme.example", "password": "y"},
          "clients": {"web": {"client_id": "acme web", "client_secret": "s:cret/",
            "redirect_uris": ["http://elsewhere.example/cb", "http://127.0.0.1:8001/callback/acme"]
          }}}]}
    """)

    assert read(file) == {"acme": registration("acme")}
    assert registration("acme").signed_out_uri == f"{DEMO}/signed-out"
