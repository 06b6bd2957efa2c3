"""
Isolation by example, for every table with a tenant_id (security.md 3.3 h).

The catalogue names the tables, so a new one is covered by existing. Each case runs in one
transaction that is rolled back: rows of both tenants are put in behind the policies, then the
serving role is given more than it has, so that what refuses is the policy and not a missing grant.
"""

from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from rows import BUILDERS, ONE_EACH, insert

pytestmark = pytest.mark.spec("security 3.3 h", "security R1", "security R12")

TABLES = sorted(BUILDERS)
ROLES = ("insula_app", "insula_platform")
#: (tenant_id, column) of the one table to the other.
REFERENCES = (
    ("user_roles", "user_id", "users"),
    ("client_secrets", "client_id", "clients"),
    ("client_logos", "client_id", "clients"),
    ("key_adoption", "client_id", "clients"),
    ("sessions", "user_id", "users"),
    ("admin_sessions", "user_id", "users"),
    ("activation_links", "user_id", "users"),
    ("interactions", "client_id", "clients"),
    ("grants", "user_id", "users"),
    ("grants", "client_id", "clients"),
    ("refresh_generations", "family_id", "refresh_families"),
    ("scopes", "resource_server_id", "resource_servers"),
)


class Town:
    """Two tenants in one transaction, and who looks at them."""

    def __init__(self, db):
        self.db = db
        self.a, self.b = uuid4(), uuid4()
        for tenant, slug in ((self.a, "a"), (self.b, "b")):
            db.execute(
                "insert into insula.tenants (id, slug, display_name) values (%s, %s, 'Town')",
                [tenant, f"{slug}{tenant.hex}"],
            )

    def bind(self, tenant):
        self.db.execute("select set_config('insula.tenant_id', %s, true)", [str(tenant or "")])

    def seed(self, table, tenant, n):
        self.bind(tenant)
        return [insert(self.db, table) for _ in range(n)]

    def become(self, role, tenant):
        """Look as a serving role does that holds every right on every table."""
        self.db.execute("reset role")
        self.bind(tenant)
        self.db.execute(f"grant all on all tables in schema insula to {role}")
        self.db.execute(f"set local role {role}")

    def do(self, statement, table, **values):
        """Run one statement and take it back; how many rows it met."""
        query = sql.SQL(statement).format(table=sql.Identifier("insula", table))
        with self.db.transaction(force_rollback=True):
            return self.db.execute(query, values).rowcount

    def refused(self, statement, table, error=psycopg.errors.InsufficientPrivilege, **values):
        with pytest.raises(error):
            self.do(statement, table, **values)
        return True


@pytest.fixture
def town(superuser):
    return Town(superuser)


@pytest.fixture
def counts():
    """How many rows A and B get of a table."""
    return lambda table: (1, 1) if table in ONE_EACH else (2, 3)


def test_every_table_with_a_tenant_is_tried(superuser):
    tables = superuser.execute("""
        select c.relname from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
           and not c.relispartition
    """)
    assert {name for (name,) in tables} == set(TABLES)


def test_every_reference_between_tenants_tables_is_tried(superuser):
    references = superuser.execute("""
        select k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text
          from pg_constraint k
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
           and a.attname <> 'tenant_id'
         where k.contype = 'f' and k.connamespace = 'insula'::regnamespace
           and k.conparentid = 0
    """)
    assert {(f, c, t) for f, c, t in references} == {
        (f"insula.{f}", c, f"insula.{t}") for f, c, t in REFERENCES
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_meets_its_own_rows_and_no_others(town, counts, table, role):
    mine, theirs = counts(table)
    town.seed(table, town.a, mine)
    town.seed(table, town.b, theirs)
    town.become(role, town.a)
    assert town.do("select from {table}", table) == mine
    assert town.do("select from {table} where tenant_id = %(b)s", table, b=town.b) == 0
    assert town.do("update {table} set tenant_id = tenant_id", table) == mine
    assert town.do("delete from {table}", table) == mine
    assert town.do("delete from {table} where tenant_id = %(b)s", table, b=town.b) == 0
    town.become(role, town.b)
    assert town.do("select from {table}", table) == theirs


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_a_row_cannot_be_written_for_another_tenant(town, counts, table, role):
    mine, _ = counts(table)
    town.seed(table, town.a, mine)
    town.become(role, town.a)
    assert town.refused("update {table} set tenant_id = %(b)s", table, b=town.b)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        insert(town.db, table, tenant_id=town.b, **_parents_of(table))


def _parents_of(table):
    """Ids of rows that need not exist: the policy refuses before a reference is looked at."""
    return {column: uuid4() for t, column, _ in REFERENCES if t == table}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_without_a_tenant_there_is_nothing(town, counts, table, role):
    mine, _ = counts(table)
    town.seed(table, town.a, mine)
    town.become(role, None)
    assert town.do("select from {table}", table) == 0
    assert town.do("update {table} set tenant_id = tenant_id", table) == 0
    assert town.do("delete from {table}", table) == 0
    with pytest.raises(
        (psycopg.errors.InsufficientPrivilege, psycopg.errors.NotNullViolation),
    ):
        insert(town.db, table, **_parents_of(table))


@pytest.mark.parametrize(("table", "column", "target"), REFERENCES)
def test_a_row_cannot_point_into_another_tenant(town, table, column, target):
    (theirs,) = town.seed(target, town.b, 1)
    town.become("insula_app", town.a)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        insert(town.db, table, **{column: theirs["id"]})


@pytest.mark.parametrize("table", TABLES)
def test_the_serving_role_cannot_even_name_the_tenant(database, table):
    with psycopg.connect(database.app) as db:
        for statement in (
            "insert into {} (tenant_id) values (gen_random_uuid())",
            "update {} set tenant_id = gen_random_uuid()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                db.execute(sql.SQL(statement).format(sql.Identifier("insula", table)))
            db.rollback()


def test_partitions_give_nothing_when_reached_directly(database, town, superuser):
    town.seed("audit_events", town.a, 1)
    town.seed("audit_events", town.b, 1)
    partitions = [
        name
        for (name,) in superuser.execute("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
             where i.inhparent = 'insula.audit_events'::regclass
        """)
    ]
    assert partitions
    for partition in partitions:
        denied = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with psycopg.connect(database.app) as db, denied:
            db.execute(f"select from insula.{partition}")
        town.become("insula_app", None)
        assert town.do("select from {table}", partition) == 0
        town.become("insula_app", town.a)
        assert town.do("select from {table} where tenant_id = %(b)s", partition, b=town.b) == 0


def test_the_registry_shows_a_tenant_its_own_line_only(town):
    town.become("insula_app", town.a)
    assert town.do("select from {table}", "tenants") == 1
    assert town.do("update {table} set version = version + 1", "tenants") == 1
    assert town.do("delete from {table}", "tenants") == 1
    assert town.refused("update {table} set id = %(b)s", "tenants", b=uuid4())
    assert town.refused(
        "insert into {table} (slug, display_name) values (%(slug)s, 'x')", "tenants", slug="made-up"
    )
    town.become("insula_app", None)
    assert town.do("select from {table}", "tenants") == 0


def test_the_record_cannot_be_changed_or_shortened(database):
    with psycopg.connect(database.app) as db:
        for statement in (
            "update insula.audit_events set event = 'nothing.happened'",
            "delete from insula.audit_events",
            "truncate insula.audit_events",
            "insert into insula.audit_events (at, event) values ('2001-01-01', 'user.created')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement)
            db.rollback()


def test_a_rolled_back_savepoint_keeps_the_tenant(database):
    with psycopg.connect(database.app) as db, db.transaction():
        db.execute("select set_config('insula.tenant_id', %s, true)", [str(uuid4())])
        before = db.execute("select insula.current_tenant()").fetchone()
        with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
            db.execute("select 1/0")
        assert db.execute("select insula.current_tenant()").fetchone() == before != (None,)


def test_after_a_bound_transaction_a_connection_sees_nothing_and_fails_at_nothing(database):
    with psycopg.connect(database.app, autocommit=True) as db:
        with db.transaction():
            db.execute("select set_config('insula.tenant_id', %s, true)", [str(uuid4())])
        assert db.execute("select current_setting('insula.tenant_id', true)").fetchone() == ("",)
        assert db.execute("select count(*) from insula.users").fetchone() == (0,)
