"""Private keys are sealed for their tenant, their id and their algorithm, and leave by no way."""

import json

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from insula.kernel.crypto import DoesNotOpen, Envelope
from insula.keys import service
from insula.keys.models import purpose

pytestmark = pytest.mark.spec("features K04", "features K05", "security row 101", "protocol 5.3")


@pytest.fixture
def rows(database):
    """The rows of a tenant as the database holds them."""

    def rows(tenant):
        with psycopg.connect(database.superuser) as db:
            (wrapped,) = db.execute(
                "select wrapped from insula.tenant_data_keys where tenant_id = %s", [tenant.id]
            ).fetchone()
            found = db.execute(
                "select kid, alg, sealed from insula.signing_keys"
                " where tenant_id = %s order by alg",
                [tenant.id],
            ).fetchall()
        return wrapped, found

    return rows


async def test_a_sealed_key_opens_at_its_place(house, envelope, rows):
    wrapped, keys = rows(house.tenant)
    for kid, alg, sealed in keys:
        der = envelope.cipher(house.tenant.id, wrapped).open(sealed, purpose(kid, alg))
        assert load_der_private_key(der, None) is not None


async def test_a_sealed_key_opens_nowhere_else(two_houses, envelope, rows):
    a, b = (house.tenant for house in two_houses)
    wrapped, ((kid, alg, sealed), (other_kid, other_alg, _)) = rows(a)
    mine, theirs = envelope.cipher(a.id, wrapped), envelope.cipher(b.id, rows(b)[0])
    for cipher, place in (
        (theirs, purpose(kid, alg)),
        (mine, purpose(other_kid, alg)),
        (mine, purpose(kid, other_alg)),
        (mine, purpose(kid, "PS256")),
    ):
        with pytest.raises(DoesNotOpen):
            cipher.open(sealed, place)
    with pytest.raises(DoesNotOpen):
        envelope.cipher(b.id, wrapped)


async def test_a_key_that_was_put_under_another_tenant_is_not_loaded(
    two_houses, envelope, database
):
    a, b = (house.tenant for house in two_houses)
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            """
            update insula.signing_keys k set sealed = x.sealed, kid = x.kid || 'x'
              from insula.signing_keys x
             where x.tenant_id = %s and k.tenant_id = %s and x.alg = k.alg
            """,
            [a.id, b.id],
        )
    with pytest.raises(DoesNotOpen):
        await service.load(b, envelope)


async def test_a_master_key_that_is_not_ours_opens_nothing(house):
    with pytest.raises(DoesNotOpen):
        await service.load(house.tenant, Envelope(b"\xff" * 32))


async def test_a_backup_holds_nothing_that_can_be_read(house, envelope, rows):
    backup = await service.backup(house.tenant)
    wrapped, keys = rows(house.tenant)
    cipher = envelope.cipher(house.tenant.id, wrapped)
    text = json.dumps(backup)
    assert len(backup) == len(keys)
    for kid, alg, sealed in keys:
        der = cipher.open(sealed, purpose(kid, alg))
        assert kid in text
        assert der.hex() not in text
        assert der[len(der) // 2 :][:16].hex() not in text
    assert cipher._data_key.hex() not in text  # noqa: SLF001  (the secret that must not be there)
    for row in backup:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(row["public_jwk"])


async def test_a_backup_is_of_use_with_the_master_key(house, envelope):
    row = (await service.backup(house.tenant))[0]
    cipher = envelope.cipher(house.tenant.id, bytes.fromhex(row["data_key"]))
    der = cipher.open(bytes.fromhex(row["sealed"]), purpose(row["kid"], row["alg"]))
    assert load_der_private_key(der, None) is not None


async def test_the_published_keys_have_no_private_member(house):
    jwks = await service.public_jwks(house.tenant)
    for key in jwks["keys"]:
        assert set(key) <= {"kty", "kid", "alg", "use", "crv", "x", "y", "n", "e"}


async def test_each_tenant_has_a_data_key_of_its_own(two_houses, envelope, rows):
    opened = {
        envelope.cipher(house.tenant.id, rows(house.tenant)[0])._data_key  # noqa: SLF001
        for house in two_houses
    }
    assert len(opened) == 2


@pytest.mark.usefixtures("fresh_keys")
async def test_keys_of_two_tenants_are_never_the_same(make_tenant):
    a, b = await make_tenant(), await make_tenant()
    kids = [{key.kid for key in await service.list_keys(house.tenant)} for house in (a, b)]
    assert kids[0].isdisjoint(kids[1])


async def test_a_record_of_keys_shows_no_private_part(house):
    for key in await service.list_keys(house.tenant):
        assert "sealed" not in repr(key)
