"""The catalogue gate finds nothing in what we migrate, and finds each violation that is planted."""

import re
from pathlib import Path

import psycopg
import pytest
from violations import CLOSED, VIOLATIONS

from insula.platform.migrations import SQL, migrate

pytestmark = pytest.mark.spec("security 3.3")

_GATE = (SQL / "gate.sql").read_text()
_PREAMBLE, *_PARTS = re.split(r"^(?=-- [a-z]\d?: )", _GATE, flags=re.MULTILINE)
QUERIES = {re.match(r"-- (\w+):", part)[1]: part for part in _PARTS}


@pytest.fixture
def gate(superuser):
    """Runs one query of the gate; returns the objects it names."""
    superuser.execute(_PREAMBLE)

    def run(letter):
        return {row[0] for row in superuser.execute(QUERIES[letter])}

    return run


def test_the_gate_holds_all_queries_of_the_specification():
    assert set("abdefg") | {"c1", "c2"} <= set(QUERIES)


@pytest.mark.parametrize("letter", QUERIES)
def test_nothing_is_open_after_migrating(gate, letter):
    assert gate(letter) == set()


@pytest.mark.parametrize("letter", QUERIES)
def test_the_owner_who_migrates_can_run_the_gate(database, letter):
    with psycopg.connect(database.owner) as db:
        db.execute(_PREAMBLE)
        assert db.execute(QUERIES[letter]).fetchall() == []


@pytest.mark.parametrize("letter", QUERIES)
def test_a_table_of_the_right_shape_passes(gate, superuser, letter):
    superuser.execute(CLOSED)
    assert gate(letter) == set()


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_the_gate_finds(gate, superuser, violation):
    letter, plant, found = VIOLATIONS[violation]
    superuser.execute(plant)
    assert any(name.startswith(found) for name in gate(letter))


def test_every_query_is_shown_to_find_something():
    assert {letter for letter, *_ in VIOLATIONS.values()} == set(QUERIES)


def test_every_exception_names_something_and_says_why(superuser):
    rows = superuser.execute("""
        select object, reason, to_regclass(object) is not null from insula.gate_exceptions
    """).fetchall()
    assert rows
    assert [row for row in rows if len(row[1]) < 10 or not row[2]] == []


def test_every_allowed_function_says_why(superuser):
    rows = superuser.execute("select signature, reason from insula.definer_allow_list").fetchall()
    assert [signature for signature, reason in rows if len(reason) < 10] == []


def test_every_tenant_table_has_a_policy_file(superuser):
    tables = superuser.execute("""
        select c.relname from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
         where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
           and not c.relispartition
    """)
    files = {Path(file).stem for file in (SQL / "rls").glob("*.sql")}
    assert {name for (name,) in tables} <= files


def test_definer_functions_are_closed_to_whom_they_are_not_for(superuser):
    superuser.execute(_PREAMBLE)
    open_to_app = superuser.execute("""
        select signature from insula.definer_allow_list
         where has_function_privilege('insula_app', signature::regprocedure, 'execute')
    """)
    assert {name for (name,) in open_to_app} == {
        "insula.find_tenant(text)",
        "insula.changes_since(text)",
        "insula.enqueue_job(text,text,jsonb,timestamp with time zone,text)",
    }


def test_nobody_can_connect_as_the_definer_role(superuser):
    (can_login,) = superuser.execute(
        "select rolcanlogin from pg_roles where rolname = 'insula_definer'"
    ).fetchone()
    assert not can_login


def test_the_serving_role_cannot_enter_the_queue_or_make_anything(database):
    with psycopg.connect(database.app) as db:
        for statement in (
            "select * from insula_jobs.procrastinate_jobs",
            "create table insula.mine (id int)",
            "select * from insula.gate_exceptions",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement)
            db.rollback()


def test_migrating_again_takes_back_what_was_granted_by_hand(database, superuser):
    superuser.execute("grant delete, update on insula.audit_events to insula_app")
    superuser.execute("grant insert on insula.users to insula_app")
    superuser.commit()
    migrate(database.owner)
    may = superuser.execute("""
        select has_table_privilege('insula_app', 'insula.audit_events', 'update'),
               has_table_privilege('insula_app', 'insula.audit_events', 'delete'),
               has_column_privilege('insula_app', 'insula.users', 'tenant_id', 'insert')
    """).fetchone()
    assert may == (False, False, False)
