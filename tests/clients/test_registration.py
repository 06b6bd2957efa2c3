"""Applications are registered, changed and ended; a secret is shown once and ends at its time."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from people import CALLBACK

from insula.audit import service as audit
from insula.clients import service
from insula.clients.errors import ClientExists, InvalidClientMetadata, NoSharedSecret, NoSuchClient
from insula.clients.models import Metadata, from_row
from insula.kernel.ids import Kind, digest
from insula.oidc.issuer import pairwise_subject
from insula.oidc.models import Client

WEB = Metadata(redirect_uris=(CALLBACK,))


def metadata(**values):
    return service.parse_metadata({"redirect_uris": [CALLBACK], **values}, development=False)


async def test_a_client_is_found_as_the_engine_knows_it(house):
    found = await service.find(house.tenant, house.web.client_id)
    assert found.id == house.web.id
    assert found.redirect_uris == (CALLBACK,)
    assert found.grant_types == {"authorization_code", "refresh_token"}
    (secret,) = found.secrets
    assert secret.digest == digest(Kind.CLIENT_SECRET, house.tenant.id, house.web.secret)
    assert secret.expires_at is None


async def test_a_public_client_has_no_secret(house):
    assert house.spa.secret is None
    found = await service.find(house.tenant, house.spa.client_id)
    assert found.is_public
    assert found.secrets == ()
    with pytest.raises(NoSharedSecret):
        await service.rotate_secret(house.tenant, house.spa.client_id)


async def test_another_tenants_client_is_unknown(two_houses):
    a, b = two_houses
    assert await service.find(a.tenant, b.web.client_id) is None
    for act in (
        service.rotate_secret(a.tenant, b.web.client_id),
        service.delete(a.tenant, b.web.client_id),
        service.change(a.tenant, b.web.client_id, {}, development=False),
    ):
        with pytest.raises(NoSuchClient):
            await act
    assert await service.find(b.tenant, b.web.client_id) is not None


@pytest.mark.spec("RFC9700-4.15", "TK-14")
async def test_no_client_goes_by_what_a_person_could_go_by(house):
    pairwise = pairwise_subject(
        Client(uuid4(), "x", "", subject_type="pairwise", sector="app.example"), uuid4(), b"k" * 32
    )
    person = str(uuid4())
    for subject in (person, person.upper(), pairwise):
        with pytest.raises(InvalidClientMetadata) as refusal:
            await service.register(house.tenant, "Reports", WEB, client_id=subject)
        assert refusal.value.field == "client_id"
    assert not await service.find(house.tenant, person)
    assert await service.register(house.tenant, "Reports", WEB, client_id=f"app-{person}")


async def test_two_tenants_may_have_a_client_of_the_same_id(two_houses):
    for house in two_houses:
        await service.register(house.tenant, "Reports", WEB, client_id="reports")
    found = [await service.find(house.tenant, "reports") for house in two_houses]
    assert found[0].id != found[1].id
    assert found[0].secrets[0].digest != found[1].secrets[0].digest


@pytest.mark.spec("security row 116")
async def test_an_id_is_random_unless_an_operator_names_it(house):
    ids = {(await service.register(house.tenant, "x", WEB)).client_id for _ in range(3)}
    assert len(ids) == 3
    assert all(client_id.startswith("ins_cl_") for client_id in ids)


async def test_an_id_is_taken_once(house):
    await service.register(house.tenant, "Reports", WEB, client_id="reports")
    with pytest.raises(ClientExists) as refusal:
        await service.register(house.tenant, "Other", WEB, client_id="reports")
    assert refusal.value.code == "name_taken"


@pytest.mark.parametrize("client_id", ["a b", "a\n", "\u00fc", "x" * 121, "a<b", "a\x00"])
async def test_an_id_that_reads_differently_elsewhere_is_refused(house, client_id):
    with pytest.raises(InvalidClientMetadata) as refusal:
        await service.register(house.tenant, "x", WEB, client_id=client_id)
    assert refusal.value.field == "client_id"


@pytest.mark.spec("security row 107")
@pytest.mark.parametrize(
    "name",
    ["", "  ", "x" * 121, "a\nb", "a\x00b", "a\x85b", "Bank\u202eknaB", "\u2066Bank", "Ba\u200bnk",
     "\u200e", "a\u2028b", "a\ue000b"],
)  # fmt: skip
async def test_a_name_that_cannot_be_shown_is_refused(house, name):
    with pytest.raises(InvalidClientMetadata) as refusal:
        await service.register(house.tenant, name, WEB)
    assert refusal.value.field == "client_name"
    if name:  # without a name it keeps its own
        with pytest.raises(InvalidClientMetadata):
            await service.change(
                house.tenant, house.web.client_id, {}, name=name, development=False
            )


@pytest.mark.spec("security row 47", "ASVS 10.4.10")
async def test_an_old_secret_dies_at_its_deadline_and_not_before(house, database):
    new = await service.rotate_secret(
        house.tenant, house.web.client_id, overlap=timedelta(minutes=10)
    )
    both = {
        digest(Kind.CLIENT_SECRET, house.tenant.id, secret) for secret in (house.web.secret, new)
    }
    found = await service.find(house.tenant, house.web.client_id)
    assert {secret.digest for secret in found.secrets} == both
    assert [secret.expires_at is None for secret in found.secrets].count(True) == 1
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "update insula.client_secrets set expires_at = now() where expires_at is not null"
            " and tenant_id = %s",
            [house.tenant.id],
        )
    (left,) = (await service.find(house.tenant, house.web.client_id)).secrets
    assert left.digest == digest(Kind.CLIENT_SECRET, house.tenant.id, new)


async def test_without_an_overlap_the_old_secret_is_dead_at_once(house):
    new = await service.rotate_secret(house.tenant, house.web.client_id)
    (left,) = (await service.find(house.tenant, house.web.client_id)).secrets
    assert left.digest == digest(Kind.CLIENT_SECRET, house.tenant.id, new)


async def test_a_second_rotation_ends_the_first_secret_since_there_are_two_at_most(house):
    second = await service.rotate_secret(
        house.tenant, house.web.client_id, overlap=timedelta(minutes=1)
    )
    third = await service.rotate_secret(
        house.tenant, house.web.client_id, overlap=timedelta(hours=1)
    )
    found = await service.find(house.tenant, house.web.client_id)
    alive = {secret.digest: secret.expires_at for secret in found.secrets}

    kept, newest = (digest(Kind.CLIENT_SECRET, house.tenant.id, each) for each in (second, third))
    assert alive.keys() == {kept, newest}
    assert alive[newest] is None
    assert alive[kept] is not None


@pytest.mark.spec("security row 101")
async def test_no_secret_is_kept_or_recorded_as_it_is(house, database):
    secret = await service.rotate_secret(house.tenant, house.web.client_id)
    with psycopg.connect(database.superuser) as db:
        kept = db.execute(
            "select string_agg(x::text, '') from insula.client_secrets x where tenant_id = %s",
            [house.tenant.id],
        ).fetchone()[0]
    async with house.tenant.transaction() as db:
        recorded = str(await audit.newest(db))
    assert secret not in kept + recorded
    assert secret.encode().hex() not in kept


async def test_a_client_that_is_inactive_or_deleted_is_not_found(house):
    client_id = house.web.client_id
    await service.change(house.tenant, client_id, {}, status="inactive", development=False)
    assert await service.find(house.tenant, client_id) is None
    await service.change(house.tenant, client_id, {}, status="active", development=False)
    assert await service.find(house.tenant, client_id) is not None
    await service.delete(house.tenant, client_id)
    assert await service.find(house.tenant, client_id) is None
    async with house.tenant.transaction() as db:
        events = [row.event for row in await audit.newest(db, 3)]
    assert events == ["client.deleted", "client.activated", "client.deactivated"]


async def test_a_change_keeps_the_rest_and_is_checked_as_a_whole(house):
    client_id = house.web.client_id
    after = await service.change(
        house.tenant, client_id, {"refresh_grace": 0}, name="Shop", development=False
    )
    assert after.metadata.refresh_grace == 0
    found = await service.find(house.tenant, client_id)
    assert (found.name, found.refresh_grace, found.redirect_uris) == ("Shop", 0, (CALLBACK,))
    for broken in ({"redirect_uris": ()}, {"refresh_grace": 61}, {"made_up": 1}):
        with pytest.raises(InvalidClientMetadata) as refusal:
            await service.change(house.tenant, client_id, broken, development=False)
        assert refusal.value.field == next(iter(broken))
    assert (await service.find(house.tenant, client_id)).redirect_uris == (CALLBACK,)


async def test_every_change_raises_the_tenants_version(house, houses):
    async def version():
        return (await houses.find(house.tenant.slug)).version

    versions = [await version()]
    client_id = (await service.register(house.tenant, "x", WEB)).client_id
    versions.append(await version())
    await service.change(house.tenant, client_id, {}, name="y", development=False)
    versions.append(await version())
    await service.rotate_secret(house.tenant, client_id)
    versions.append(await version())
    await service.delete(house.tenant, client_id)
    versions.append(await version())
    assert versions == sorted(set(versions))


async def test_origins_are_those_of_the_tenants_active_clients(two_houses):
    a, b = (house.tenant for house in two_houses)
    mine = metadata(allowed_origins=["https://app.example", "https://two.example"])
    await service.register(a, "x", mine, client_id="x")
    await service.register(b, "y", metadata(allowed_origins=["https://b.example"]))
    assert await service.allowed_origins(a) == {"https://app.example", "https://two.example"}
    await service.change(a, "x", {}, status="inactive", development=False)
    assert await service.allowed_origins(a) == frozenset()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
         "grant_types"),
        ({"grant_types": ["password"]}, "grant_types.0"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"response_modes": ["fragment"]}, "response_modes"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"tenant_id": str(uuid4())}, "tenant_id"),
        ({"client_id": "mine"}, "client_id"),
    ],
)  # fmt: skip
def test_metadata_that_is_not_offered_is_refused_by_name(values, field):
    with pytest.raises(InvalidClientMetadata) as refusal:
        metadata(**values)
    assert refusal.value.field == field


def test_what_a_later_release_wrote_is_left_out_when_read():
    assert from_row({"redirect_uris": [CALLBACK], "from_the_future": True}) == WEB


async def test_clients_are_listed_page_by_page(house):
    for name in ("aa", "bb", "cc"):
        await service.register(house.tenant, name, WEB, client_id=f"0{name}")
    first = await service.list_clients(house.tenant, limit=2)
    assert [row.client_id for row in first] == ["0aa", "0bb"]
    rest = await service.list_clients(house.tenant, after="0bb")
    assert rest[0].client_id == "0cc"
    assert len(rest) == 4
