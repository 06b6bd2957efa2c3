"""A process does not start with a role that the policies cannot hold (security R2)."""

import psycopg
import pytest
from foundation import opened
from psycopg import sql

from insula.kernel.errors import Invalid, Unavailable
from insula.tenancy.checks import RoleTooStrong, refuse_strong_role

pytestmark = pytest.mark.spec("security R2")


@pytest.fixture
def role(database, worker_id):
    """Makes a role that can log in; returns the database's URL for it."""
    made = []

    def make(suffix, *grants, options=""):
        name = f"strong_{suffix}_{worker_id}"
        made.append(name)
        db.execute(f"create role {name} login password '{name}' {options}")
        for grant in grants:
            db.execute(f"grant {grant} to {name}")
        return database.app.replace("insula_app:insula_app", f"{name}:{name}")

    with psycopg.connect(database.superuser, autocommit=True) as db:
        yield make
        for name in reversed(made):
            db.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


async def _refusal(url):
    async with opened(url, size=1) as db:
        with pytest.raises(RoleTooStrong) as refused:
            await refuse_strong_role(db)
    return refused.value.description


async def test_the_roles_that_serve_may_serve(app_db, platform_db):
    await refuse_strong_role(app_db)
    await refuse_strong_role(platform_db)


async def test_a_superuser_may_not(database):
    assert "postgres is a superuser" in await _refusal(database.superuser)


async def test_the_owner_may_not(database):
    assert "insula_owner owns" in await _refusal(database.owner)


async def test_a_role_that_bypasses_may_not(role):
    assert "has BYPASSRLS" in await _refusal(role("bypass", options="bypassrls"))


@pytest.mark.parametrize("owner", ["insula_owner", "insula_definer"])
async def test_a_member_of_an_owner_may_not(role, owner):
    refusal = await _refusal(role(owner, owner, options="noinherit"))
    assert "is a member of insula_" in refusal
    assert "which owns" in refusal


async def test_a_member_of_a_member_may_not(role, worker_id):
    role("inner", options="superuser")
    role("middle", f"strong_inner_{worker_id}")
    refusal = await _refusal(role("outer", f"strong_middle_{worker_id}"))
    assert f"is a member of strong_inner_{worker_id}, which is a superuser" in refusal


async def test_the_refusal_is_one_line_for_the_operator(database):
    refusal = await _refusal(database.superuser)
    assert "\n" not in refusal
    assert "insula_app" in refusal
    assert issubclass(RoleTooStrong, Invalid)


async def test_a_database_that_is_away_is_another_matter():
    async with opened("postgresql://nobody@127.0.0.1:1/insula", size=1) as db:
        with pytest.raises(Unavailable):
            await refuse_strong_role(db)
