"""Dynamic: the suite registers its clients, and what it registers is what holds."""

import io
import re

import jwt as pyjwt
import pytest
from judging import check_id_token, check_refused
from PIL import Image
from registering import is_refused, publish, redeem_by_key, register, token_by_key
from signed import Key, compact
from sites import CALLBACK
from suite import interleaved
from turns import pause

from insula.keys import service as keys

_REFRESH = ["authorization_code", "refresh_token"]
_OFFLINE = {"scope": "openid offline_access", "prompt": "consent"}


@pytest.fixture
def sites(dynamic_sites):
    return dynamic_sites


def _key(run, kid="rp-1"):
    return Key("RS256", kid=f"{run.site.slug}-{kid}")


@pytest.mark.spec("OIDCD-3", "OIDCD-4", "DI-1", "DR-1")
@interleaved
async def test_oidcc_discovery_endpoint_verification(run):
    says = run.metadata

    assert says["registration_endpoint"].startswith(f"{run.issuer}/")
    assert {"code", "id_token", "id_token token"} <= set(says["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(says["grant_types_supported"])
    assert "private_key_jwt" in says["token_endpoint_auth_methods_supported"]
    assert says["require_request_uri_registration"] is True
    run.shown["where"] = says["registration_endpoint"]
    assert await run.see("where") != says["registration_endpoint"]


@pytest.mark.spec("OIDCR-3.1", "OIDCR-3.2", "RFC7591-3.2.1", "DR-9")
@interleaved
async def test_oidcc_server(run):
    one = await register(run, "first")
    other = await register(run, "second")

    flows = [await run.flow(name) for name in ("first", "second")]

    assert one["client_id"] != other["client_id"]
    assert flows[0].claims["sub"] == flows[1].claims["sub"]
    for flow in flows:
        await run.says(flow)
    run.shown["made"] = one
    theirs = await run.see("made")
    answer = await run.get(
        theirs["registration_client_uri"].replace(next(p for p in run.peers).issuer, run.issuer),
        headers={"authorization": f"Bearer {theirs['registration_access_token']}"},
    )
    assert answer.status_code == 401


@pytest.mark.spec("OIDCR-2", "OIDCC-2", "DR-3")
@interleaved
async def test_oidcc_idtoken_unsigned(run):
    assert "none" not in run.metadata["id_token_signing_alg_values_supported"]

    await is_refused(run, id_token_signed_response_alg="none")  # noqa: S106


@pytest.mark.spec("OIDCC-6.1", "JR-10")
@interleaved
async def test_oidcc_ensure_request_object_with_redirect_uri(run):
    await register(run)
    says = {**run.asked(), "iss": run.client().client_id, "aud": run.issuer}
    unsigned = compact({"alg": "none"}, says, b"")

    await run.refused_on_a_page(redirect_uri=f"{CALLBACK}/other", request=unsigned)
    await run.succeeds()
    assert await run.refused(request=unsigned) == "invalid_request_object"


@pytest.mark.spec("RFC6749-6", "OIDCC-12.2", "RT-2", "DR-9")
@interleaved
async def test_oidcc_refresh_token(run):
    await register(run, "first", grant_types=_REFRESH)
    await register(run, "second", grant_types=_REFRESH)
    flow = await run.flow(**_OFFLINE)
    form = {"grant_type": "refresh_token", "refresh_token": flow.tokens["refresh_token"]}

    check_refused(await run.token("second", **form), "invalid_grant")
    answer = await run.token(**form)

    assert answer.status_code == 200, answer.text
    renewed = answer.json()
    claims = check_id_token(
        renewed["id_token"],
        run,
        client_id=run.client().client_id,
        nonce=None,
        access_token=renewed["access_token"],
    )
    assert claims["sub"] == flow.claims["sub"]


@pytest.mark.spec("OIDCR-2", "OIDCC-10.1", "ID-2")
@interleaved
async def test_oidcc_idtoken_rs256(run):
    says = await register(run, id_token_signed_response_alg="RS256")  # noqa: S106

    assert says["id_token_signed_response_alg"] == "RS256"
    await run.flow()  # which holds the id_token to RS256


@pytest.mark.spec("OIDCR-2", "OIDCC-5.3.2", "UI-4")
@interleaved
async def test_oidcc_userinfo_rs256(run):
    await register(run, userinfo_signed_response_alg="RS256")
    flow = await run.flow(scope="openid email")

    answer = await run.userinfo(flow.tokens["access_token"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jwt"
    header = pyjwt.get_unverified_header(answer.text)
    (key,) = [key for key in run.jwks["keys"] if key["kid"] == header["kid"]]
    says = pyjwt.decode(
        answer.text,
        pyjwt.PyJWK(key).key,
        algorithms=["RS256"],
        audience=run.client().client_id,
        issuer=run.issuer,
    )
    assert says["sub"] == flow.claims["sub"]
    assert says["email"] == run.site.person.email


@pytest.mark.spec("OIDCC-3.1.2.1", "RFC6749-3.1.2.3", "AZ-4")
@interleaved
async def test_oidcc_ensure_redirect_uri_in_authorization_request(run):
    await register(run, redirect_uris=[CALLBACK, f"{CALLBACK}/second"])

    await run.refused_on_a_page(redirect_uri=None)


async def _arrive(run, redirect_uri):
    asked = run.asked(redirect_uri=redirect_uri)
    return await run.visitor.go(run.metadata["authorization_endpoint"], params=asked)


@pytest.mark.spec("OIDCR-2", "RFC6749-3.1.2", "DR-4", "AZ-4")
@interleaved
async def test_oidcc_redirect_uri_query_ok(run):
    where = f"{CALLBACK}?foo=bar"
    await register(run, redirect_uris=[where])

    arrival = await _arrive(run, where)

    assert arrival.url == CALLBACK
    assert set(arrival.answer) == {"foo", "code", "state", "iss"}
    assert arrival.answer["foo"] == "bar"


@pytest.mark.spec("RFC9700-4.1.3", "AZ-4", "security row 1")
@interleaved
async def test_oidcc_redirect_uri_query_mismatch(run):
    await register(run, redirect_uris=[f"{CALLBACK}?foo=bar"])

    await run.refused_on_a_page(redirect_uri=f"{CALLBACK}?foo=other")


@pytest.mark.spec("RFC9700-4.1.3", "AZ-4", "security row 1")
@interleaved
async def test_oidcc_redirect_uri_query_added(run):
    await register(run)

    await run.refused_on_a_page(redirect_uri=f"{CALLBACK}?foo=bar")


@pytest.mark.spec("OIDCR-3.1", "RFC7591-3.2.2", "DR-4")
@interleaved
async def test_oidcc_redirect_uri_regfrag(run):
    await is_refused(run, "invalid_redirect_uri", redirect_uris=[f"{CALLBACK}#foobar"])


async def _fresh_sign_in(run):
    """The first page that somebody sees who has not signed in."""
    begun = await run.get(run.metadata["authorization_endpoint"], params=run.asked())
    cookie = begun.headers["set-cookie"].partition(";")[0]
    page = await run.get(run.issuer + begun.headers["location"], headers={"cookie": cookie})
    assert page.status_code == 200
    assert page.url.path == "/sign-in"
    return page.text


@pytest.mark.spec("OIDCR-2", "DR-8")
@interleaved
async def test_oidcc_registration_logo_uri(run):
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 20, 30)).save(out, "PNG")
    await register(run, logo_uri=publish(run, "logo.png", out.getvalue(), "image/png"))

    (path,) = re.findall(r'src="(/client-logos/[0-9a-f]+\.png)"', await _fresh_sign_in(run))

    image = await run.get(run.issuer + path)
    assert image.headers["content-type"] == "image/png"
    await run.succeeds()


@pytest.mark.spec("OIDCR-2", "DR-8")
@interleaved
async def test_oidcc_registration_policy_uri(run):
    await register(run, policy_uri="https://suite.example/policy")

    assert 'href="https://suite.example/policy"' in await _fresh_sign_in(run)
    await run.succeeds()


@pytest.mark.spec("OIDCR-2", "DR-8")
@interleaved
async def test_oidcc_registration_tos_uri(run):
    await register(run, tos_uri="https://suite.example/tos")

    assert 'href="https://suite.example/tos"' in await _fresh_sign_in(run)
    await run.succeeds()


_BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}


@pytest.mark.spec("OIDCR-2", "OIDCC-9", "CA-4", "DR-6")
@interleaved
async def test_oidcc_registration_jwks_uri(run):
    key = _key(run)
    where = publish(run, "jwks", {"keys": [key.jwk]})
    says = await register(run, jwks_uri=where, **_BY_KEY)
    assert "client_secret" not in says

    answer = await redeem_by_key(run, key, await run.succeeds())

    assert answer.status_code == 200, answer.text
    stranger = await run.succeeds()
    check_refused(await redeem_by_key(run, _key(run), stranger), "invalid_client", 401)


@pytest.mark.spec("OIDCR-5", "OIDCC-8.1", "DR-7")
@interleaved
async def test_oidcc_registration_sector_uri(run):
    where = publish(run, "sector", [CALLBACK])

    await register(run, sector_identifier_uri=where, subject_type="pairwise")
    flow = await run.flow()

    assert flow.claims["sub"] != str(run.site.person.id)


@pytest.mark.spec("OIDCR-5", "DR-7")
@interleaved
async def test_oidcc_registration_sector_bad(run):
    where = publish(run, "sector-of-others", ["https://other.example/callback"])

    await is_refused(run, sector_identifier_uri=where)


@pytest.mark.spec("OIDCC-10.1.1", "KY-1")
@interleaved
async def test_oidcc_server_rotate_keys(run):
    await register(run)
    before = await run.flow()
    old = pyjwt.get_unverified_header(before.tokens["id_token"])["kid"]
    _rotate(run.site)
    await pause(1.5)  # as long as a process may be behind

    run.jwks = (await run.get(run.metadata["jwks_uri"])).json()
    after = await run.flow()

    new = pyjwt.get_unverified_header(after.tokens["id_token"])["kid"]
    assert new != old
    assert {old, new} <= {key["kid"] for key in run.jwks["keys"]}


def _rotate(site):
    """Publish a key ahead, let the time pass that it has to be seen, and sign with it."""
    product = site.product

    async def publish_key(here):
        tenant = await here.tenant(site.slug)
        (kid,) = await keys.publish(tenant, here.envelope, ["RS256"])
        return kid

    kid = product.backstage.run(publish_key)
    assert product.change(
        "update insula.signing_keys set published_at = published_at - interval '2 days'"
        " where tenant_id = %s and kid = %s",
        product.tenant_id(site.slug),
        kid,
    )

    async def promote(here):
        await keys.promote(await here.tenant(site.slug), kid)

    product.backstage.run(promote)


@pytest.mark.spec("OIDCC-10.1.1", "CA-4")
@interleaved
async def test_oidcc_refresh_token_rp_key_rotation(run):
    old, new = _key(run, "old"), _key(run, "new")
    where = publish(run, "rotating", {"keys": [old.jwk]})
    await register(run, jwks_uri=where, grant_types=_REFRESH, **_BY_KEY)
    first = await redeem_by_key(run, old, await run.succeeds(**_OFFLINE))
    assert first.status_code == 200, first.text

    publish(run, "rotating", {"keys": [new.jwk]})
    await pause(31)  # for that long a host is not asked again
    answer = await token_by_key(
        run, new, grant_type="refresh_token", refresh_token=first.json()["refresh_token"]
    )

    assert answer.status_code == 200, answer.text


@pytest.mark.spec("OIDCC-6.2", "JR-1", "JR-2")
@interleaved
async def test_oidcc_request_uri_unsigned(run):
    where = run.site.host.url(f"/{run.site.slug}/unsigned.jwt")
    assert "none" not in run.metadata["request_object_signing_alg_values_supported"]
    await is_refused(run, request_object_signing_alg="none", request_uris=[where])

    await register(run, request_uris=[where])
    says = {**run.asked(), "iss": run.client().client_id, "aud": run.issuer}
    publish(run, "unsigned.jwt", compact({"alg": "none"}, says, b"").encode(), "application/jwt")
    await run.succeeds()
    assert await run.refused(request_uri=where) == "invalid_request_object"


@pytest.mark.spec("OIDCC-6.2", "OIDCR-2", "JR-2")
@interleaved
async def test_oidcc_request_uri_signed_rs256(run):
    key = _key(run)
    where = run.site.host.url(f"/{run.site.slug}/signed.jwt")
    await register(
        run,
        jwks={"keys": [key.jwk]},
        request_uris=[where],
        request_object_signing_alg="RS256",
    )
    asked = run.asked()
    says = {**asked, "iss": asked["client_id"], "aud": run.issuer}
    publish(run, "signed.jwt", key.sign(says).encode(), "application/jwt")

    arrival = await run.visitor.go(
        run.metadata["authorization_endpoint"], params={**asked, "request_uri": where}
    )

    assert arrival.answer is not None, arrival.page.text
    assert arrival.answer["state"] == asked["state"]
    tokens = await run.tokens(arrival)
    check_id_token(
        tokens["id_token"],
        run,
        client_id=asked["client_id"],
        nonce=asked["nonce"],
        access_token=tokens["access_token"],
    )


@pytest.mark.spec("OIDCC-9", "RFC7523-3", "CA-4")
@interleaved
async def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(run):
    key = _key(run)
    await register(run, jwks={"keys": [key.jwk]}, **_BY_KEY)

    answer = await redeem_by_key(run, key, await run.succeeds(), aud=run.issuer)

    assert answer.status_code == 200, answer.text
    other = await run.succeeds()
    theirs = next(iter(run.peers)).issuer
    check_refused(await redeem_by_key(run, key, other, aud=theirs), "invalid_client", 401)
