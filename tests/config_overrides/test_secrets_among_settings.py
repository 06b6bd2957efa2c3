"""Secrets among settings: sealed at rest, masked wherever they are told, opened by one function."""

import json
from dataclasses import replace
from typing import Annotated, ClassVar

import psycopg
import pytest

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.config_overrides import history, platform, service
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import InvalidSetting, SecretsKeyMissing
from insula.config_overrides.masks import SEALED, all_masked
from insula.config_overrides.resolution import explain
from insula.config_overrides.saving import Saving
from insula.config_overrides.secrets import Secrets
from insula.configuration.applying import Applying, apply
from insula.configuration.models import Document
from insula.configuration.reading import read
from insula.kernel.crypto import Envelope
from insula.kernel.settings import MASK, DecidedBy, Secret, Section
from insula.management_api.configuration.schemas import Outcome
from insula.management_api.problems import refusal_of
from insula.management_api.sections.acts import Acts
from insula.management_api.sections.schemas import SectionState, VersionDetail
from insula.platform_admin.configuration.changes import rows_of_documents
from insula.platform_admin.configuration.controls import control, shown
from insula.platform_admin.configuration.lines import of_defaults, of_tenant
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants


class Mailbox(Section):
    """Known to these tests alone."""

    key: ClassVar[str] = "test.mailbox"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT
    host: str = ""
    password: Annotated[str, Secret(longest=40)] = ""
    pin: Annotated[str, Secret()] = ""


CATALOGUE = Catalogue([Mailbox])
PLAIN = "a-Secret-of-Acme"
ANN = Actor("admin", "ann")

pytestmark = pytest.mark.spec("features C06", "features CR-14")


@pytest.fixture
def how(envelope):
    return Saving(ANN, envelope=envelope)


@pytest.fixture
def secrets(envelope, directory):
    return Secrets(envelope, directory)


@pytest.fixture
def set_to(how):
    async def set_to(house, **values):
        return await service.change(house.tenant, Mailbox, values, how)

    return set_to


async def own(house):
    return (await service.load(house.tenant)).own.get(Mailbox.key, {})


async def test_a_secret_is_sealed_at_rest_and_opens_for_its_tenant_and_field_alone(
    two_houses, houses, set_to, secrets, database, how
):
    a, b = two_houses
    await set_to(a, host="mail.example", password=PLAIN)
    kept = (await own(a))["password"]
    assert kept.startswith(SEALED)
    assert await secrets.of(await houses.find(a.tenant.slug), Mailbox, "password") == PLAIN
    assert await secrets.of(await houses.find(a.tenant.slug), Mailbox, "pin") == ""
    with pytest.raises(ValueError, match="holds no secret"):
        await secrets.of(a.tenant, Mailbox, "host")

    for house, values in ((b, {"password": kept}), (a, {"pin": kept})):
        with pytest.raises(InvalidSetting, match="sealed elsewhere"):
            await service.change(house.tenant, Mailbox, values, how)
    with psycopg.connect(database.superuser, autocommit=True) as db:
        for table in ("tenant_settings", "config_versions", "audit_events"):
            (told,) = db.execute(
                f"select json_agg(x)::text from insula.{table} x where tenant_id = %s",  # noqa: S608  (three names)
                [a.tenant.id],
            ).fetchone()
            assert Mailbox.key in told
            assert PLAIN not in told
        (audited,) = db.execute(
            "select json_agg(x)::text from insula.audit_events x where tenant_id = %s",
            [a.tenant.id],
        ).fetchone()
        assert SEALED not in audited
        db.execute(  # copied behind the back of the application
            "insert into insula.tenant_settings (tenant_id, section, value) values (%s, %s, %s)",
            [b.tenant.id, Mailbox.key, json.dumps({"password": kept})],
        )
    with pytest.raises(SecretsKeyMissing):
        await secrets.of(await houses.find(b.tenant.slug), Mailbox, "password")


async def test_the_mask_keeps_a_secret_and_anything_else_replaces_it(
    house, houses, set_to, secrets, how
):
    async def now():
        return await secrets.of(await houses.find(house.tenant.slug), Mailbox, "password")

    with pytest.raises(InvalidSetting, match="hides nothing"):
        await set_to(house, password=MASK)
    await set_to(house, password=PLAIN)
    first = await own(house)
    number = len(await _versions(house))
    for same in (MASK, PLAIN, first["password"]):
        await set_to(house, password=same)
        assert await own(house) == first
    assert len(await _versions(house)) == number  # nothing was changed by that
    async with house.tenant.transaction() as db:
        await service.change_in(db, Mailbox, {"host": "x", "password": MASK}, how, replace=True)
    assert await now() == PLAIN
    await set_to(house, password="another")  # noqa: S106  (made up)
    assert await now() == "another"
    for wrong in ("x" * 41, "two\nlines", "nul\0"):
        with pytest.raises(InvalidSetting) as refusal:
            await set_to(house, password=wrong)
        assert refusal.value.field == "test.mailbox.password"
        assert wrong not in str(refusal.value)
    with pytest.raises(InvalidSetting):
        await set_to(house, password=7)
    await set_to(house, password="")
    assert await now() == ""
    await set_to(house, password=None)
    assert "password" not in await own(house)


async def _versions(house):
    async with house.tenant.transaction() as db:
        return await history.versions(db)


async def test_no_surface_tells_more_than_a_mask(house, set_to, envelope, how):
    await set_to(house, password=PLAIN)
    layers = await service.load(house.tenant)
    (version,) = await _versions(house)
    sealed = layers.own[Mailbox.key]["password"]

    told = SectionState.of(Mailbox, layers, explained=True)
    assert (told.own, told.values["password"]) == ({"password": MASK}, MASK)
    (field,) = [each for each in told.fields if each.name == "password"]
    assert (field.own, field.effective, field.inherited, field.set_by.id) == (MASK, MASK, "", "ann")
    (line,) = [each for each in of_tenant(Mailbox, layers, {}) if each.control.name == "password"]
    assert (line.value, line.control.shape, line.is_own) == (MASK, "secret", True)
    acts = Acts(house.tenant.transaction)
    ((change,), shut_out) = await acts.preview(
        Catalogue([Mailbox]), Mailbox, {"password": "another"}, how
    )
    assert shut_out == []
    assert (change.before, change.after) == (MASK, MASK)
    (row,) = rows_of_documents(CATALOGUE, layers, {Mailbox.key: {"password": "another"}})
    assert (row.before, row.after) == (MASK, MASK)
    assert rows_of_documents(CATALOGUE, layers, {Mailbox.key: {"password": MASK}}) == []
    assert shown(control(Mailbox, "password"), "anything") == MASK

    outcome = Outcome.of(
        await apply(
            house.tenant, CATALOGUE, Document(settings={Mailbox.key: {"password": "another"}}),
            Applying(ANN, envelope=envelope),
        )
    )  # fmt: skip
    (line,) = outcome.changes
    assert (line.path, line.before, line.after) == ("settings/test.mailbox/password", MASK, MASK)
    async with house.tenant.transaction() as db:
        second, first = await audit.newest(db, 2)
    (new,), (old,) = second.metadata["changes"], first.metadata["changes"]
    assert (old["before"], old["after"]) == (None, MASK)
    assert (new["before"], new["after"]) == (MASK, MASK)
    for text in (
        json.dumps([new, old], ensure_ascii=False),
        told.model_dump_json(), VersionDetail.of(version).model_dump_json(),
        json.dumps(all_masked(layers.own), ensure_ascii=False), outcome.model_dump_json(),
        (await read(house.tenant)).masked().model_dump_json(),
    ):  # fmt: skip
        assert MASK in text
        for secret in (PLAIN, "another", sealed, SEALED):
            assert secret not in text


async def test_a_sealed_export_and_a_version_open_in_the_same_tenant_only(
    two_houses, houses, set_to, secrets, how, envelope
):
    a, b = two_houses
    await set_to(a, password=PLAIN)
    sealed = await read(a.tenant)
    saved = (await _versions(a))[0].number
    await set_to(a, password=None)

    async def now():
        return await secrets.of(await houses.find(a.tenant.slug), Mailbox, "password")

    async with a.tenant.transaction() as db:
        await history.restore(db, CATALOGUE, saved, how)
    assert await now() == PLAIN
    await set_to(a, password="another")  # noqa: S106  (made up)
    applying = Applying(ANN, envelope=envelope)
    done = await apply(a.tenant, CATALOGUE, sealed, applying)
    assert await now() == PLAIN
    again = await apply(a.tenant, CATALOGUE, sealed, replace(applying, expected=done.etag))
    assert again.differences == ()
    masked = await apply(a.tenant, CATALOGUE, sealed.masked(), applying)
    assert (masked.differences, await now()) == ((), PLAIN)
    with pytest.raises(InvalidSetting, match="sealed elsewhere"):
        await apply(b.tenant, CATALOGUE, sealed, applying)
    with pytest.raises(InvalidSetting, match="hides nothing"):
        await apply(b.tenant, CATALOGUE, sealed.masked(), applying)
    assert await own(b) == {}


async def test_what_the_platform_keeps_secret_tenants_use_and_nobody_reads(
    house, houses, set_to, secrets, how, platform_door, envelope, rotation
):
    await tenants.ensure_special(platform_door, envelope, rotation)
    home = await houses.find(PLATFORMS)

    async def decide(values, saving=how):
        async with platform_door.within(home.id) as db:
            return await platform.change_values(db, Mailbox, values, saving, replace=True)

    async def now():
        return await secrets.of(await houses.find(house.tenant.slug), Mailbox, "password")

    try:
        layers = await decide({"password": "of the platform"})
        kept = layers.platform[Mailbox.key]["password"]
        assert kept.startswith(SEALED)
        assert (await decide({"password": MASK})).platform[Mailbox.key]["password"] == kept
        assert await now() == "of the platform"
        layers = await service.load(house.tenant)
        (told,) = [each for each in explain(Mailbox, layers) if each.name == "password"]
        assert (told.source, told.effective, told.inherited) == ("platform", MASK, MASK)
        (line,) = [e for e in of_defaults(Mailbox, layers, {}) if e.control.name == "password"]
        assert line.value == MASK
        await set_to(house, host="x", password=MASK)  # all of what was shown is sent back
        assert await own(house) == {"host": "x"}
        with pytest.raises(InvalidSetting, match="sealed elsewhere"):
            await set_to(house, password=kept)
        await set_to(house, password=PLAIN)
        assert await now() == PLAIN
    finally:
        await decide({})


async def test_when_a_secret_was_set_and_last_used_is_told_and_a_new_one_starts_anew(
    house, houses, set_to, secrets
):
    async def mark():
        layers = await service.load(house.tenant)
        return layers.own_marks["test.mailbox.password"]

    await set_to(house, password=PLAIN)
    assert ((await mark()).by["id"], (await mark()).used_at) == ("ann", None)
    assert (await mark()).at is not None
    fresh = await houses.find(house.tenant.slug)
    await secrets.of(fresh, Mailbox, "password")
    used = (await mark()).used_at
    assert used is not None
    await secrets.of(fresh, Mailbox, "password")
    await set_to(house, host="other")
    assert (await mark()).used_at == used
    told = SectionState.of(Mailbox, await service.load(house.tenant), explained=True)
    assert [each.last_used_at for each in told.fields] == [None, used, None]
    assert (await houses.find(house.tenant.slug)).version == fresh.version + 1  # by host alone
    await set_to(house, password="another")  # noqa: S106  (made up)
    assert (await mark()).used_at is None


async def test_without_the_master_key_nothing_is_sealed_opened_or_lost(
    house, houses, set_to, directory
):
    await set_to(house, password=PLAIN)
    kept = await own(house)
    stranger = Envelope(bytes(32))
    for envelope in (None, stranger):
        with pytest.raises(SecretsKeyMissing) as refusal:
            await service.change(
                house.tenant, Mailbox, {"pin": "1234"}, Saving(ANN, envelope=envelope)
            )
        told = refusal_of(refusal.value)
        assert (told.status, told.code) == (409, "secrets_key_missing")
    with pytest.raises(SecretsKeyMissing):
        await Secrets(stranger, directory).of(
            await houses.find(house.tenant.slug), Mailbox, "password"
        )
    await service.change(house.tenant, Mailbox, {"host": "x", "password": MASK}, Saving(ANN))
    assert await own(house) == {**kept, "host": "x"}
