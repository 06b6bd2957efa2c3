"""People are made, found, shut out, and never so many that nobody administers any more."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from people import hashed

from insula.accounts import service
from insula.accounts.errors import InvalidUser, LastAdmin, NoSuchUser, UserExists, WeakPassword
from insula.accounts.settings import PasswordPolicy
from insula.audit import service as audit
from insula.audit.models import Actor


class Act:
    """Runs a use case in a transaction of its own."""

    def __init__(self, tenant):
        self.tenant = tenant

    def __getattr__(self, name):
        use_case = getattr(service, name)

        async def run(*args, **kwargs):
            async with self.tenant.transaction() as db:
                return await use_case(db, *args, **kwargs)

        return run

    async def admin(self, name, *roles):
        return await self.create(
            username=name,
            password_hash=hashed("somebody who administers"),
            roles=roles or ["admin"],
        )

    async def events(self):
        async with self.tenant.transaction() as db:
            return [row.event for row in await audit.newest(db)]


@pytest.fixture
def act(house):
    return Act(house.tenant)


@pytest.mark.parametrize(
    "name", ["ada", "ADA", " Ada ", "ada@{slug}.example", "ADA@{slug}.EXAMPLE"]
)
async def test_a_person_is_found_by_name_or_address_in_any_case(act, house, name):
    found = await act.find(name.format(slug=house.tenant.slug))
    assert found.user.id == house.person.id
    assert found.password_hash
    assert not found.locked


async def test_an_unknown_person_is_an_answer_of_the_same_shape(act):
    found = await act.find("nobody")
    assert (found.user, found.password_hash, found.locked) == (None, None, False)


async def test_a_person_of_another_tenant_is_unknown(two_houses):
    a, b = two_houses
    assert (await Act(a.tenant).find(b.person.email)).user is None
    for use_case in ("get", "disable", "enable", "lock"):
        with pytest.raises(NoSuchUser):
            await getattr(Act(a.tenant), use_case)(b.person.id)


async def test_names_and_addresses_are_taken_once_in_a_tenant_and_again_in_another(two_houses):
    a, b = (Act(house.tenant) for house in two_houses)
    await a.create(username="Grace", email="grace@navy.example")
    for again in ({"username": "gRACE"}, {"username": "other", "email": "GRACE@navy.example"}):
        with pytest.raises(UserExists):
            await a.create(**again)
    await b.create(username="grace", email="grace@navy.example")


async def test_a_refused_person_leaves_the_transaction_usable(act):
    async with act.tenant.transaction() as db:
        with pytest.raises(UserExists):
            await service.create(db, username="ada")
        user_id = await service.create(db, username="grace")
    assert (await act.get(user_id)).username == "grace"


async def test_a_person_with_a_bad_name_is_refused_as_such(act):
    with pytest.raises(InvalidUser):
        await act.create(username="-")
    with pytest.raises(InvalidUser):
        await act.create(username="grace", email="grace")


async def test_roles_are_given_once_and_audited(act, house):
    await act.grant_role(house.person.id, "auditor")
    await act.grant_role(house.person.id, "auditor")
    assert await act.roles_of(house.person.id) == ["auditor", "user"]
    assert (await act.events())[0] == "user.role_granted"
    await act.revoke_role(house.person.id, "auditor")
    assert await act.roles_of(house.person.id) == ["user"]


@pytest.mark.spec("features CR-7", "features G11", "security row 34")
@pytest.mark.parametrize("use_case", ["disable", "lock", "change_password", "revoke_role"])
async def test_shutting_out_ends_sessions_tokens_and_families(act, house, database, use_case):
    user, issue, other = house.person.id, uuid4(), uuid4()
    await act.grant_role(user, "auditor")
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute("select set_config('insula.tenant_id', %s, false)", [str(act.tenant.id)])
        db.execute(
            """
            insert into insula.sessions (token_hash, user_id, amr, acr, idle_expires_at,
              absolute_expires_at, sweep_after)
            values ('x', %(user)s, '{pwd}', '1', 'infinity', 'infinity', 'infinity');
            """,
            {"user": user},
        )
        for issue_id, user_id in ((issue, user), (other, house.admin.id)):
            db.execute(
                "insert into insula.token_issues"
                " (id, kind, client_id, user_id, scopes, sweep_after)"
                " values (%s, 'code', %s, %s, '{}', 'infinity')",
                [issue_id, house.web.id, user_id],
            )
            db.execute(
                "insert into insula.refresh_families (id, client_id, current_hash,"
                " idle_expires_at, absolute_expires_at, sweep_after)"
                " values (%s, %s, 'x', 'infinity', 'infinity', 'infinity')",
                [issue_id, house.web.id],
            )
        more = {"change_password": hashed("somebody new entirely"), "revoke_role": "auditor"}
        actor = {"actor": Actor("user", str(user))}
        await getattr(act, use_case)(user, *filter(None, [more.get(use_case)]), **actor)
        if use_case == "revoke_role":  # given again, it revives nothing
            await act.grant_role(user, "auditor")
        (session,) = db.execute(
            "select ended_for from insula.sessions where user_id = %s", [user]
        ).fetchone()
        assert session in ("user_disabled", "user_locked", "password_changed", "role_revoked")
        for table in ("token_issues", "refresh_families"):
            ended = dict(
                db.execute(
                    f"select id, revoked_for from insula.{table} where id = any(%s)",  # noqa: S608
                    [[issue, other]],
                ).fetchall()
            )
            assert ended == {issue: session, other: None}


async def test_a_disabled_person_is_let_in_again(act, house):
    await act.disable(house.person.id)
    assert (await act.get(house.person.id)).status == "disabled"
    await act.enable(house.person.id)
    assert (await act.get(house.person.id)).status == "active"
    assert (await act.events())[:2] == ["user.enabled", "user.disabled"]


async def test_a_lock_holds_for_its_time_and_says_so(act, house, database):
    await act.lock(house.person.id, timedelta(minutes=5))
    assert (await act.find("ada")).locked
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "update insula.users set locked_until = now() - interval '1 s' where id = %s",
            [house.person.id],
        )
    assert not (await act.find("ada")).locked
    await act.lock(house.person.id)
    assert (await act.find("ada")).locked
    await act.enable(house.person.id)
    assert not (await act.find("ada")).locked
    assert (await act.events())[0] == "user.unlocked"


@pytest.mark.spec("features G05")
async def test_a_lock_ends_within_ten_years_or_not_by_itself(act, house):
    await act.lock(house.person.id, timedelta(days=3650))
    with pytest.raises(InvalidUser, match="within 3650 days"):
        await act.lock(house.person.id, timedelta(days=3651))


async def test_locking_a_disabled_person_for_a_while_does_not_let_them_in(act, house):
    await act.disable(house.person.id)
    await act.lock(house.person.id, timedelta(minutes=5))
    assert (await act.get(house.person.id)).status == "disabled"


@pytest.mark.spec("features G05")
@pytest.mark.parametrize("until", ["11533-01-01", "infinity"])
async def test_a_lock_until_a_date_that_cannot_be_read_is_ended_as_any_other(
    act, house, database, until
):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "update insula.users set locked_until = %s where id = %s", [until, house.person.id]
        )
    assert (await act.find("ada")).locked
    assert (await act.get(house.person.id)).status == "active"
    assert {person.status for person in await act.list_users()} == {"locked", "active"}
    await act.enable(house.person.id)
    assert not (await act.find("ada")).locked


@pytest.mark.spec("features G05")
async def test_a_lock_that_was_kept_in_the_status_outlives_disabling(act, house, database):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute("update insula.users set status = 'locked' where id = %s", [house.person.id])
    await act.disable(house.person.id)
    assert (await act.get(house.person.id)).status == "disabled"
    assert (await act.find("ada")).locked


@pytest.mark.spec("features G05")
async def test_to_let_somebody_in_ends_both_flags_and_says_each(act, house):
    user = house.person.id
    await act.lock(user)
    await act.lock(user, timedelta(minutes=1))  # shortens nothing
    listed = {person.id: person.status for person in await act.list_users()}
    assert (listed[user], listed[house.admin.id]) == ("locked", "active")
    await act.disable(user)
    assert (await act.find("ada")).locked
    await act.enable(user)
    assert (await act.get(user)).status == "active"
    assert not (await act.find("ada")).locked
    ends = (await act.events())[:5]
    assert sorted(ends[:2]) == ["user.enabled", "user.unlocked"]
    assert ends[2:] == ["user.disabled", "user.locked", "user.locked"]


@pytest.mark.spec("features CR-8")
async def test_the_last_administrator_stays(act, house):
    root = house.admin.id
    for refused in (
        act.disable(root),
        act.lock(root),
        act.lock(root, timedelta(minutes=1)),
        act.revoke_role(root, "admin"),
    ):
        with pytest.raises(LastAdmin) as refusal:
            await refused
        assert refusal.value.code == "last_admin"
    assert (await act.get(root)).status == "active"
    assert await act.roles_of(root) == ["admin", "user"]


async def test_an_administrator_who_cannot_sign_in_does_not_count(act, house):
    await act.create(username="no-password", roles=["admin"])
    await act.disable(await act.admin("disabled"))
    with pytest.raises(LastAdmin):
        await act.disable(house.admin.id)


async def test_who_keeps_another_such_role_may_lose_one(act, house):
    await act.grant_role(house.admin.id, "superadmin")
    await act.revoke_role(house.admin.id, "admin")
    with pytest.raises(LastAdmin):
        await act.revoke_role(house.admin.id, "superadmin")


async def test_the_last_platform_administrator_stays_whoever_else_administers(act):
    only = await act.admin("only", "platform_admin", "superadmin")
    with pytest.raises(LastAdmin):
        await act.disable(only)
    with pytest.raises(LastAdmin):
        await act.revoke_role(only, "platform_admin")
    await act.admin("second", "platform_admin")
    await act.revoke_role(only, "platform_admin")


@pytest.mark.spec("features CR-8", "security row 95")
@pytest.mark.parametrize("use_case", ["disable", "lock", "revoke_role"])
async def test_two_administrators_who_demote_each_other_at_once_leave_one(act, house, use_case):
    second = await act.admin("second")
    more = ("admin",) if use_case == "revoke_role" else ()
    for _ in range(5):
        results = await asyncio.gather(
            *(getattr(act, use_case)(user, *more) for user in (house.admin.id, second)),
            return_exceptions=True,
        )
        assert sorted(type(result) for result in results if result is not None) == [LastAdmin]
        for user in (house.admin.id, second):
            await act.enable(user)
            await act.grant_role(user, "admin")


@pytest.mark.spec("security row 95")
async def test_who_waited_for_the_other_decides_on_what_the_other_left(act, house):
    second = await act.admin("second")
    async with act.tenant.transaction() as db:
        await service.revoke_role(db, second, "admin")
        waiting = asyncio.create_task(act.revoke_role(house.admin.id, "admin"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    with pytest.raises(LastAdmin):
        await waiting


async def test_a_password_is_checked_with_what_everybody_knows(act, house, passwords):
    policy = PasswordPolicy()
    for weak in (f"{house.tenant.slug}!", "ada ada ada ada ada", "short"):
        with pytest.raises(WeakPassword):
            await service.prepare_password(
                act.tenant, passwords, policy, weak, username="ada", email=house.person.email
            )
    stored = await service.prepare_password(
        act.tenant, passwords, policy, "seventeen green umbrellas", username="ada"
    )
    assert await passwords.verify(act.tenant.id, stored, "seventeen green umbrellas")


async def test_a_renewed_hash_does_not_undo_a_password_that_changed_meanwhile(act, house):
    before = (await act.find("ada")).password_hash
    changed = hashed("somebody new entirely")
    await act.change_password(house.person.id, changed, actor=Actor("user"))
    await act.renew_hash(house.person.id, before, hashed("nobody at all any more"))
    assert (await act.find("ada")).password_hash == changed


async def test_people_are_listed_by_name_page_by_page(act):
    for name in ("Zoe", "carl", "Dora"):
        await act.create(username=name)
    first = await act.list_users(limit=3)
    assert [user.username for user in first] == ["ada", "carl", "Dora"]
    rest = await act.list_users(after="dora")
    assert [user.username for user in rest] == ["root", "Zoe"]


async def test_every_act_leaves_its_line_and_none_holds_a_secret(act, house):
    await act.change_password(house.person.id, hashed("somebody new entirely"), actor=Actor("user"))
    await act.note_login(house.person.id)
    async with act.tenant.transaction() as db:
        lines = await audit.newest(db)
    assert lines[0].event == "user.password_changed"
    assert "argon2" not in str(lines)
