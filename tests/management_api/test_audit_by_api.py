"""The record by API: groups of events, and a file of what a filter finds."""

import csv
import io
import secrets

import pytest
from callers import refusal


@pytest.fixture
def house(programs):
    """A program of a tenant of its own, whose record holds hostile text."""
    slug = f"rec{secrets.token_hex(5)}"
    product = programs.product
    product.tenant(slug)
    for event, target in (("user.created", "=cmd()"), ("user.updated", "7"), ("users.odd", "8")):
        product.db.execute(
            "insert into insula.audit_events (tenant_id, event, status, actor_type, target_type,"
            " target_id, metadata) values (%s, %s, 'success', 'client', 'user', %s,"
            """ '{"said": ["to ada@acme.example"]}')""",
            [product.tenant_id(slug), event, target],
        )
    return programs.make(slug)


@pytest.mark.spec("features W01")
def test_a_group_of_events_is_named_by_its_beginning_and_a_dot(house):
    def events(asked):
        return {each["event"] for each in house.get(f"/audit?event={asked}").json()["data"]}

    assert events("user.") == {"user.created", "user.updated"}
    assert events("user.created") == {"user.created"}
    assert events("user.crea") == set()
    assert events("user") == set()


@pytest.mark.spec("features L03", "features W01", "security row 111")
def test_the_record_of_a_filter_is_exported_whole_and_the_export_is_recorded(house, programs):
    asked = "target_type=user&event=user."
    listed = house.get(f"/audit?{asked}").json()["data"]
    told = house.get(f"/export/audit?{asked}")
    text = house.get(f"/export/audit?{asked}&format=csv")
    odd = house.get("/export/audit?format=xml")
    counted_out = house.get("/export/audit")

    assert told.json() == listed
    assert len(listed) == 2
    assert told.headers["content-type"] == "application/json"
    assert told.headers["ratelimit-policy"] == '"sensitive";q=3;w=60'
    assert told.headers["content-disposition"] == 'attachment; filename="audit.json"'
    assert told.headers["cache-control"] == text.headers["cache-control"] == "no-store"
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert {row["target_id"] for row in rows} == {"'=cmd()", "7"}
    assert {row["metadata"] for row in rows} == {'{"said": ["to ada@acme.example"]}'}
    refusal(odd, 422, "validation_failed")
    refusal(counted_out, 429, "rate_limited")
    lines = programs.product.audit(house.slug, "data.exported")
    wanted = {"event": "user.", "target_type": "user"}
    assert [line.metadata for line in reversed(lines)] == [
        {"what": "the record", "format": form, "filter": wanted} for form in ("json", "csv")
    ]
    assert {line.actor_id for line in lines} == {house.client_id}


@pytest.mark.spec("features L03", "features Z02")
def test_who_may_not_read_the_record_exports_nothing(house, programs):
    stranger = programs.make(house.slug, ["users:read"])
    refusal(stranger.get("/export/audit"), 403, "forbidden")
    refusal(programs.make(house.slug).get("/export/audit?ip=nowhere"), 422, "validation_failed")
    refusal(programs.make(house.slug).get("/export/audit?limit=1"), 422, "validation_failed")
    assert not programs.product.audit(house.slug, "data.exported")
