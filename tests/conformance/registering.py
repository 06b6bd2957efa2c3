"""What the certification suite does where it registers its clients itself."""

import secrets
from dataclasses import dataclass

from judging import check_answer_headers, check_refused
from people import App
from registrar import Registrar
from signed import asserting, signed_assertion
from sites import CALLBACK, Site
from subject import make_subject
from tls_host import TlsHost

#: Tenants of their own: what the Dynamic plan needs of a tenant is off elsewhere.
SLUGS = ("initech", "umbrella")


@dataclass(frozen=True)
class DynamicSite(Site):
    """A tenant where the suite registers its clients itself; *host* is the suite's own."""

    host: TlsHost


def make_dynamic_site(product, slug, host):
    """Set a tenant up where clients register themselves, with front-channel tokens on."""
    product.tenant(slug)
    registrar = Registrar(product, slug, product.server.port)
    registrar.switch(
        registration="token",
        registration_profile="legacy",
        front_channel_tokens=True,
        attempts_per_address=10_000,
        clients=1000,
    )
    return DynamicSite(product, slug, make_subject(product, slug), {}, host)


async def send(run, members):
    """The bare answer to a registration; the suite has an initial access token."""
    product, slug = run.site.product, run.site.slug
    token = Registrar(product, slug, product.server.port).token()
    return await run.post(
        run.metadata["registration_endpoint"],
        json={
            "redirect_uris": [CALLBACK],
            "client_name": f"suite {secrets.token_hex(4)}",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            **members,
        },
        headers={"authorization": f"Bearer {token}"},
    )


async def register(run, name="first", **members):
    """Register a client, known from now on as *name*; what the answer says (OIDCR-3.2)."""
    answer = await send(run, members)
    assert answer.status_code == 201, answer.text
    check_answer_headers(answer)
    says = answer.json()
    assert says["client_id_issued_at"] > 0
    assert says["registration_client_uri"].startswith(run.issuer + "/")
    if "client_secret" in says:
        assert says["client_secret_expires_at"] == 0
    for member in members.keys() - {"jwks"}:
        assert says[member] == members[member], member
    run.site.clients[name] = App(None, says["client_id"], says.get("client_secret"))
    return says


def publish(run, path, document, content_type="application/json"):
    """Put something at the suite's host, for this tenant; its address."""
    return run.site.host.page(f"/{run.site.slug}/{path}", document, content_type)


async def is_refused(run, error="invalid_client_metadata", **members):
    check_refused(await send(run, members), error)


async def token_by_key(run, key, *, name="first", aud=None, **form):
    """The answer of the token endpoint to a client that proves itself with *key*."""
    client_id = run.client(name).client_id
    assertion = signed_assertion(key, client_id, aud or run.metadata["token_endpoint"])
    return await run.post(run.metadata["token_endpoint"], data={**form, **asserting(assertion)})


async def redeem_by_key(run, key, arrival, **more):
    return await token_by_key(
        run,
        key,
        grant_type="authorization_code",
        code=arrival.answer["code"],
        redirect_uri=CALLBACK,
        **more,
    )
