"""Where a proof is looked for, what counts as one, and what is said when there is none."""

import secrets
import time

import pytest
from hosts_of_others import says

from insula.tenants.domains import models as proofs

HOST = "login.customer.example"
TOKEN = secrets.token_hex(20)
RECORD = proofs.record_name(HOST)
TEXT = proofs.proof_text(TOKEN)

pytestmark = pytest.mark.spec("features T01")


@pytest.fixture
def look(outside):
    async def look(method, **more):
        finding = await outside.prover.check(HOST, method, TOKEN, party="a", **more)
        return finding.outcome, finding.found

    return look


async def test_a_txt_record_of_that_text_proves(outside, look):
    outside.zone.texts[RECORD] = ["v=spf1 -all", TEXT]
    assert await look("dns") == ("proven", "")
    outside.zone.texts[RECORD] = [*(f"filler {n} {'x' * 180}" for n in range(20)), TEXT]
    assert await look("dns") == ("proven", "")  # over TCP: it fits into no datagram


async def test_another_record_or_none_does_not(outside, look):
    outside.zone.texts.pop(RECORD, None)
    assert await look("dns") == ("refuted", f"No TXT record at {RECORD}.")
    outside.zone.texts[RECORD] = []
    assert await look("dns") == ("refuted", f"No TXT record at {RECORD}.")
    outside.zone.texts[RECORD] = ["a", "b", "\\195\\164<b>", TEXT + "0"]
    outcome, found = await look("dns")
    assert outcome == "refuted"
    assert found.startswith(f"No such TXT record at {RECORD}; found: “{TEXT}0”, “a”, “b”")
    assert found.endswith(" and 1 more.")


async def test_a_name_server_that_does_not_answer_proves_nothing_either_way(outside, look):
    outside.zone.ill.add(RECORD)
    outcome, found = await look("dns")
    assert (outcome, "could not give an answer" in found) == ("silent", True)
    outside.zone.ill.clear()
    outside.zone.silent.add(RECORD)
    started = time.monotonic()
    outcome, found = await look("dns")
    assert time.monotonic() - started < 2
    assert (outcome, "within 1 second" in found) == ("silent", True)
    outside.zone.silent.clear()


async def test_a_file_of_that_content_proves_and_a_page_for_everything_does_not(outside, look):
    outside.web.answer = says(f"{TEXT}\n".encode(), content_type="text/plain")
    assert await look("file") == ("proven", "")
    assert f"GET {proofs.file_path(TOKEN)} ".encode() in outside.web.requests[-1]
    assert set(outside.internet.addresses) == {("93.184.215.14", 443)}  # https, and nothing else
    for body in (b"", b"<html>Welcome</html>", f"x{TEXT}".encode()):
        outside.web.answer = says(body)
        outcome, found = await look("file")
        assert outcome == "refuted"
        assert "does not hold" in found


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        ('<html><head><meta name="insula-verify" content="{t}"></head>', "proven"),
        ("<HEAD><META content='{t}' NAME=Insula-Verify /></HEAD>", "proven"),
        ('<meta name="insula-verify"><meta name="insula-verify" content="{t}">', "proven"),
        ('<head></head><meta name="insula-verify" content="{t}">', "refuted"),
        ('<body><meta name="insula-verify" content="{t}">', "refuted"),
        ('<meta name="other" content="{t}">', "refuted"),
        ('<meta name="insula-verify" content="{t}0">', "refuted"),
        ("", "refuted"),
    ],
)  # fmt: skip
async def test_a_meta_tag_counts_in_the_head_alone(outside, look, page, outcome):
    outside.web.answer = says(page.format(t=TOKEN).encode(), content_type="text/html")
    found = await look("meta")
    assert found[0] == outcome
    assert bool(found[1]) == (outcome == "refuted")


@pytest.mark.spec("security 102", "security 103")
async def test_hostile_pages_are_refused_or_read_in_no_time(outside, look):
    for answer, outcome, said in (
        (says(b"", "Location: https://127.0.0.1/", status="302 Found"), "refuted", "redirects"),
        (says(b"x" * 600_000, content_type="text/html"), "refuted", "larger than"),
        (says(b"{}"), "refuted", "none of text/html"),
        (says(b"", status="404 Not Found"), "refuted", "answers 404"),
        (says(b"", status="503 Service Unavailable"), "silent", "out of order"),
    ):
        outside.web.answer = answer
        found = await look("meta")
        assert (found[0], said in found[1]) == (outcome, True), found
    for part in (b"<meta ", b"<meta name=", b"<meta a=' ", b"<!--<", b"<head "):
        outside.web.answer = says(part * (500_000 // len(part)), content_type="text/html")
        started = time.process_time()
        assert (await look("meta"))[0] == "refuted"
        assert time.process_time() - started < 0.5


async def test_a_host_that_is_away_proves_nothing_either_way(outside, look):
    outside.internet.dead.add("93.184.215.14")
    for method in ("file", "meta"):
        assert (await look(method))[0] == "silent"


async def test_of_a_domain_that_leads_here_the_file_is_as_good_as_the_tag(outside, look):
    outside.web.answer = says(f"{TEXT}\n".encode(), content_type="text/plain")
    assert (await look("meta"))[0] == "refuted"
    assert await look("meta", held=True) == ("proven", "")
