"""A key is published, signs, retires and leaves, each at its time and never before (K02, K03)."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from insula.audit import service as audit
from insula.config_overrides import service as config_overrides
from insula.kernel.errors import Unavailable
from insula.keys import phases, service
from insula.keys.errors import (
    AlreadyPublished,
    AlreadyRetired,
    LastSigningKey,
    NoSuchKey,
    TooEarly,
)
from insula.keys.models import SHORTEST_LEAD, overlap
from insula.keys.settings import KeyRotation
from insula.providers.settings import TokenLifetimes, longest_life
from insula.tenancy.db import Tenant

pytestmark = pytest.mark.spec("features K02", "features K03", "protocol 5.5")

LIVES = TokenLifetimes(id_token=9000)


class Keys:
    """A tenant's keys, and a clock that can be moved: rows move back, the database's now stays."""

    def __init__(self, tenant: Tenant, envelope, superuser_url):
        self.tenant = tenant
        self.envelope = envelope
        self._superuser_url = superuser_url

    async def states(self, alg="ES256"):
        keys = await service.list_keys(self.tenant)
        return sorted(key.state for key in keys if key.alg == alg)

    async def kid(self, state, alg="ES256"):
        (found,) = [
            key.kid
            for key in await service.list_keys(self.tenant)
            if (key.state, key.alg) == (state, alg)
        ]
        return found

    async def signing(self, alg="ES256"):
        return (await service.load(self.tenant, self.envelope)).ring.signing[alg].kid

    async def published(self):
        return {key["kid"] for key in (await service.public_jwks(self.tenant))["keys"]}

    async def publish(self, alg="ES256"):
        (kid,) = await service.publish(self.tenant, self.envelope, [alg])
        return kid

    async def advance(self):
        return await phases.advance(self.tenant, self.envelope, longest_life)

    async def decide(self, section, **values):
        await config_overrides.change(self.tenant, section, values)

    def pass_time(self, **span):
        moved = ", ".join(
            f"{column} = {column} - %(span)s"
            for column in ("published_at", "activated_at", "retiring_at", "due_at")
        )
        with psycopg.connect(self._superuser_url, autocommit=True) as db:
            db.execute(
                f"update insula.signing_keys set {moved} where tenant_id = %(tenant)s",  # noqa: S608
                {"span": timedelta(**span), "tenant": self.tenant.id},
            )

    async def events(self):
        async with self.tenant.transaction() as db:
            return [row.event for row in await audit.newest(db) if row.event.startswith("key.")]


@pytest.fixture
async def keys(house, envelope, database):
    keys = Keys(house.tenant, envelope, database.superuser)
    await keys.decide(KeyRotation, lead_seconds=3600)
    await keys.decide(TokenLifetimes, id_token=LIVES.id_token)
    await keys.advance()  # as the job does a minute after
    return keys


async def test_a_new_tenant_signs_with_both_algorithms_from_its_first_minute(keys):
    ring = (await service.load(keys.tenant, keys.envelope)).ring
    assert set(ring.signing) == {"RS256", "ES256"}
    assert await keys.published() == {key.kid for key in ring.signing.values()}


async def test_a_published_key_is_shown_and_does_not_sign(keys):
    before = await keys.signing()
    kid = await keys.publish()
    assert await keys.published() >= {before, kid}
    assert await keys.signing() == before
    assert await keys.states() == ["active", "next"]


async def test_a_key_is_not_promoted_before_verifiers_can_have_seen_it(keys):
    kid = await keys.publish()
    with pytest.raises(TooEarly) as refusal:
        await service.promote(keys.tenant, kid)
    assert refusal.value.code == "adoption_behind"
    keys.pass_time(seconds=SHORTEST_LEAD.total_seconds() - 5)
    with pytest.raises(TooEarly):
        await service.promote(keys.tenant, kid)
    assert await keys.states() == ["active", "next"]


async def test_a_promoted_key_signs_and_the_old_one_stays_published(keys):
    old = await keys.signing()
    kid = await keys.publish()
    keys.pass_time(seconds=601)
    await service.promote(keys.tenant, kid)
    assert await keys.signing() == kid
    assert await keys.kid("retiring") == old
    assert await keys.published() >= {old, kid}
    assert (await keys.events())[:2] == ["key.promoted", "key.published"]


async def test_a_retiring_key_leaves_after_the_overlap_and_not_before(keys):
    old = await keys.signing()
    kid = await keys.publish()
    keys.pass_time(seconds=601)
    await service.promote(keys.tenant, kid)
    whole = overlap(LIVES.longest_signed, KeyRotation().overlap_seconds)
    assert whole == timedelta(seconds=LIVES.id_token + 315)
    keys.pass_time(seconds=whole.total_seconds() - 5)
    assert await service.retire_expired(keys.tenant) == []
    with pytest.raises(TooEarly):
        await service.retire(keys.tenant, old)
    assert old in await keys.published()
    keys.pass_time(seconds=10)
    assert await service.retire_expired(keys.tenant) == [old]
    assert old not in await keys.published()
    ring = (await service.load(keys.tenant, keys.envelope)).ring
    assert [key.kid for key in ring.hint_only] == [old]
    assert await service.retire_expired(keys.tenant) == []


def test_the_overlap_outlives_every_token_and_is_never_short():
    assert overlap(60, 7200) == timedelta(hours=2)
    assert overlap(86400, 7200) > timedelta(days=1, minutes=5)
    assert overlap(None, 7200) == overlap(86400, 7200)  # nobody has looked: the longest there is


async def test_keys_that_cannot_be_retired_say_why(keys):
    kid = await keys.publish()
    active = await keys.signing()
    with pytest.raises(LastSigningKey) as refusal:
        await service.retire(keys.tenant, active)
    assert refusal.value.code == "last_signing_key"
    await service.retire(keys.tenant, kid)
    with pytest.raises(AlreadyRetired) as refusal:
        await service.retire(keys.tenant, kid)
    assert refusal.value.code == "already_retired"
    with pytest.raises(NoSuchKey):
        await service.retire(keys.tenant, "made-up")


async def test_keys_that_cannot_be_promoted_say_why(keys):
    for kid in (await keys.signing(), "made-up"):
        with pytest.raises(NoSuchKey):
            await service.promote(keys.tenant, kid)


async def test_another_tenants_key_is_no_key(keys, make_tenant, envelope):
    other = (await make_tenant()).tenant
    (kid,) = await service.publish(other, envelope, ["EdDSA"])
    for act in (service.promote, service.retire):
        with pytest.raises(NoSuchKey):
            await act(keys.tenant, kid)


async def test_one_next_key_at_a_time(keys):
    await keys.publish()
    with pytest.raises(AlreadyPublished):
        await keys.publish()
    assert await keys.states() == ["active", "next"]


async def test_two_publications_at_once_are_one_and_a_refusal(keys):
    results = await asyncio.gather(keys.publish(), keys.publish(), return_exceptions=True)
    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [
        AlreadyPublished
    ]
    assert await keys.states() == ["active", "next"]


async def test_promotions_at_once_leave_exactly_one_active_key(keys):
    kid = await keys.publish()
    keys.pass_time(seconds=601)
    results = await asyncio.gather(
        *(service.promote(keys.tenant, kid) for _ in range(4)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert {type(result) for result in results if result is not None} == {NoSuchKey}
    assert await keys.states() == ["active", "retiring"]


async def test_the_job_does_each_step_when_it_is_due_and_repeating_changes_nothing(keys):
    first = await keys.signing()
    assert await keys.advance() == []
    keys.pass_time(days=91)
    assert len(await keys.advance()) == 2  # one new key for each algorithm
    assert await keys.advance() == []
    fresh = await keys.kid("next")
    assert await keys.signing() == first
    keys.pass_time(hours=2)
    assert f"promoted {fresh}" in await keys.advance()
    assert await keys.signing() == fresh
    assert await keys.states() == ["active", "retiring"]
    assert await keys.advance() == []
    keys.pass_time(days=1)
    assert f"retired {first}" in await keys.advance()
    assert await keys.states() == ["active", "retired"]
    keys.pass_time(days=91)
    assert len(await keys.advance()) == 2


async def test_two_jobs_at_once_publish_one_key_for_each_algorithm(keys):
    keys.pass_time(days=91)
    done = await asyncio.gather(*(keys.advance() for _ in range(3)))
    assert sum(map(len, done)) == 2
    assert await keys.states() == await keys.states("RS256") == ["active", "next"]


async def test_every_step_raises_the_tenants_version(keys, houses):
    async def version():
        return (await houses.find(keys.tenant.slug)).version

    versions = [await version()]
    kid = await keys.publish()
    versions.append(await version())
    keys.pass_time(seconds=601)
    await service.promote(keys.tenant, kid)
    versions.append(await version())
    keys.pass_time(days=1)
    await service.retire_expired(keys.tenant)
    versions.append(await version())
    assert versions == sorted(set(versions))
    with suppress(NoSuchKey):
        await service.retire(keys.tenant, "made-up")
    assert await version() == versions[-1]


async def test_a_new_algorithm_begins_with_a_next_key(keys):
    kid = await keys.publish("EdDSA")
    keys.pass_time(seconds=601)
    await service.promote(keys.tenant, kid)
    assert await keys.signing("EdDSA") == kid


async def test_a_tenant_without_keys_is_an_honest_503(keys, database):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute("delete from insula.signing_keys where tenant_id = %s", [keys.tenant.id])
    with pytest.raises(Unavailable):
        await service.load(keys.tenant, keys.envelope)
