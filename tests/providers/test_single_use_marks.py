"""Four processes, and one signed thing sent to all of them at once: it counts once."""

import asyncio

import httpx2
import pytest
from signed import Key, asserting, signed_assertion, signed_proof
from spine import FAST, GRANTS, OFFLINE, code_of, redemption, signed_in, tokens_of

from insula.config_overrides import service as config_overrides
from insula.providers.settings import ProtocolFeatures

OWN = {"grant_type": "client_credentials"}
#: As often as an application may fail before it has to wait.
TIMES = 20


@pytest.fixture(scope="module")
def key():
    return Key()


@pytest.fixture
def machine(product, key):
    """An application that proves itself with a key, and has not failed to so far."""
    return product.app(
        "acme",
        grant_types=GRANTS,
        token_endpoint_auth_method="private_key_jwt",  # noqa: S106
        jwks={"keys": [key.jwk]},
        **FAST,
    )


class Sender:
    """Requests over connections of their own, so that all processes are met."""

    def __init__(self, product, port, slug="acme"):
        self._http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": product.server.host(slug)},
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
            timeout=60,
        )

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self._http.aclose()

    async def one(self, path="/oauth2/token", *, method="POST", **request):
        return await self._http.request(method, path, **request)

    async def many(self, *args, **request):
        return await asyncio.gather(*(self.one(*args, **request) for _ in range(TIMES)))


@pytest.fixture
async def sender(product, four_workers):
    async with Sender(product, four_workers.port) as sender:
        yield sender


def refusals(answers, status=200):
    """The errors of all answers but one."""
    assert [answer.status_code for answer in answers].count(status) == 1
    return {
        (each.status_code, each.json()["error"]) for each in answers if each.status_code != status
    }


@pytest.mark.spec("RFC7523-3", "CA-3")
async def test_an_assertion_sent_to_all_processes_at_once_is_accepted_once(
    product, machine, key, sender
):
    proven = asserting(signed_assertion(key, machine.client_id, product.issuer("acme")))

    answers = await sender.many(data=OWN | proven)

    assert refusals(answers) == {(401, "invalid_client")}


async def test_one_jti_in_different_assertions_is_accepted_once(product, machine, key, sender):
    forms = [
        OWN
        | asserting(
            signed_assertion(key, machine.client_id, product.issuer("acme"), jti="same", n=n)
        )
        for n in range(8)
    ]

    answers = await asyncio.gather(*(sender.one(data=form) for form in forms))

    assert refusals(answers) == {(401, "invalid_client")}


async def test_different_assertions_are_all_accepted(product, machine, key, sender):
    forms = [
        OWN | asserting(signed_assertion(key, machine.client_id, product.issuer("acme")))
        for _ in range(TIMES)
    ]

    answers = await asyncio.gather(*(sender.one(data=form) for form in forms))

    assert [answer.status_code for answer in answers] == [200] * TIMES


@pytest.mark.spec("RFC7523-3", "CA-3")
async def test_an_assertion_for_one_tenant_is_nothing_at_another(
    product, machine, key, four_workers
):
    proven = asserting(signed_assertion(key, machine.client_id, product.issuer("acme")))
    async with Sender(product, four_workers.port, "globex") as elsewhere:
        answer = await elsewhere.one(data=OWN | proven)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.spec("DPOP-11.1", "DP-3")
async def test_a_proof_sent_to_all_processes_at_once_is_accepted_once(product, app, key, sender):
    sent = signed_proof(key, "POST", product.url("acme", "/oauth2/token"))

    answers = await sender.many(data=OWN, headers={"dpop": sent}, auth=(app.client_id, app.secret))

    assert refusals(answers) == {(400, "invalid_dpop_proof")}
    assert {a.json().get("token_type") for a in answers} == {"DPoP", None}


@pytest.mark.spec("DPOP-11.1", "DP-3", "DP-6")
async def test_a_proof_at_userinfo_is_accepted_once_too(product, app, ada, key, sender):
    code = code_of(product, "acme", app, ada, scope="openid")
    bound = await sender.one(
        data=redemption(code),
        headers={"dpop": signed_proof(key, "POST", product.url("acme", "/oauth2/token"))},
        auth=(app.client_id, app.secret),
    )
    token = bound.json()["access_token"]
    sent = signed_proof(key, "GET", product.url("acme", "/oauth2/userinfo"), token=token)
    headers = {"authorization": f"DPoP {token}", "dpop": sent}

    answers = await sender.many("/oauth2/userinfo", method="GET", headers=headers)

    assert refusals(answers) == {(401, "invalid_dpop_proof")}
    plain = {"authorization": f"Bearer {token}"}
    assert (await sender.one("/oauth2/userinfo", method="GET", headers=plain)).status_code == 401


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_a_bound_refresh_token_stays_with_its_key(product, key, sender):
    spa = product.app(
        "acme",
        grant_types=("authorization_code", "refresh_token"),
        token_endpoint_auth_method="none",  # noqa: S106
        **FAST,
    )
    url = product.url("acme", "/oauth2/token")

    async def post(form, *, by):
        headers = {"dpop": signed_proof(by, "POST", url)} if by else {}
        return await sender.one(data={"client_id": spa.client_id} | form, headers=headers)

    with signed_in(product, "acme", spa) as browser:
        code = code_of(product, "acme", spa, browser, scope=OFFLINE, dpop_jkt=key.thumbprint)
    tokens = (await post(redemption(code), by=key)).json()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    assert (await post(form, by=None)).json()["error"] == "invalid_dpop_proof"
    assert (await post(form, by=Key())).json()["error"] == "invalid_grant"
    assert (await post(form, by=key)).json()["token_type"] == "DPoP"


@pytest.mark.spec("DPOP-8", "DP-7")
async def test_a_nonce_of_one_process_is_good_at_all(product, key, four_workers):
    slug = "noncelike"
    product.tenant(slug)
    app = product.app(slug, grant_types=GRANTS, **FAST)

    async def switch_on(here):
        tenant = await here.tenant(slug)
        await config_overrides.change(tenant, ProtocolFeatures, {"dpop_nonce": True})

    product.backstage.run(switch_on)
    url = product.url(slug, "/oauth2/token")
    async with Sender(product, four_workers.port, slug) as sender:

        async def ask(**changes):
            headers = {"dpop": signed_proof(key, "POST", url, **changes)}
            return await sender.one(data=OWN, headers=headers, auth=(app.client_id, app.secret))

        refused = await ask()
        assert refused.json()["error"] == "use_dpop_nonce"
        nonce = refused.headers["dpop-nonce"]

        answers = await asyncio.gather(*(ask(nonce=nonce) for _ in range(TIMES)))

    assert [answer.status_code for answer in answers] == [200] * TIMES


def test_tokens_that_are_not_bound_are_as_before(product, app, ada):
    assert tokens_of(product, "acme", app, ada)["token_type"] == "Bearer"
