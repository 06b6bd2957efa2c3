"""The record holds every act with its transaction, and nothing that opens a door."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.audit import service
from insula.audit.models import Actor, Event, scrub

pytestmark = pytest.mark.spec("security row 111")


def test_what_is_named_like_a_secret_is_left_out_at_any_depth():
    clean = scrub(
        {"name": "x", "client_secret": "s", "Password": "p", "nested": {"api_key": "k", "n": 1},
         "refresh_TOKEN": "t", "code": "c", "password_hash": "h"}
    )  # fmt: skip
    assert clean == {"name": "x", "nested": {"n": 1}}


def test_long_values_are_cut():
    clean = scrub({"text": "x" * 2000, "list": ["y" * 2000] * 200})
    assert len(clean["text"]) == 512
    assert len(clean["list"]) == 100
    assert len(clean["list"][0]) == 512


@given(st.text(st.characters(codec=None), max_size=50))
def test_any_text_is_one_that_the_database_takes(text):
    clean = scrub({"reason": text})["reason"]
    assert "\x00" not in clean
    assert clean == clean.encode().decode()


async def test_a_line_says_who_did_what_from_where(house):
    actor = Actor("admin", str(house.admin.id), "203.0.113.9", "Browser/1.0", "req-1")
    event = Event(
        "user.disabled", actor, target_type="user", target_id="7", metadata={"reason": "left"}
    )
    async with house.tenant.transaction() as db:
        await service.record(db, event)
        line = (await service.newest(db, 1))[0]
    assert (line.event, line.status, line.actor_type) == ("user.disabled", "success", "admin")
    assert (line.actor_id, line.ip, line.request_id) == (actor.id, "203.0.113.9", "req-1")
    assert line.metadata == {"reason": "left"}
    assert line.at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "\ud800", "line\nbreak\r\n", "\u202e", "x" * 5000, "'; drop table users; --"],
    ids=range(6),
)
async def test_hostile_text_is_recorded_and_harmless(house, text):
    actor = Actor("user", "7", "not an address", text)
    async with house.tenant.transaction() as db:
        await service.record(db, Event("user.login_failed", actor, metadata={"name": text}))
        line = (await service.newest(db, 1))[0]
    assert line.event == "user.login_failed"
    assert line.ip is None
    json.dumps(line.metadata)


async def test_an_act_that_is_taken_back_leaves_no_line(house):
    event = Event("user.login_failed", Actor("system"))
    with suppress(ZeroDivisionError):
        async with house.tenant.transaction() as db:
            await service.record(db, event)
            raise ZeroDivisionError
    async with house.tenant.transaction() as db:
        assert "user.login_failed" not in {row.event for row in await service.newest(db)}


async def test_a_tenant_reads_its_own_record_alone(two_houses):
    a, b = two_houses
    async with b.tenant.transaction() as db:
        await service.record(db, Event("user.login_failed", Actor("system")))
    async with a.tenant.transaction() as db:
        assert "user.login_failed" not in {row.event for row in await service.newest(db)}
