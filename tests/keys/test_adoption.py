"""Who is seen to know which key, and a rotation that waits for those that matter (BEY-2)."""

import asyncio
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from insula.audit import service as audit
from insula.clients import service as clients
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import BoundViolated
from insula.devices.codes import UserCodes
from insula.kernel.errors import Unavailable
from insula.keys import adoption, phases, service
from insula.keys.adoption import Sightings
from insula.keys.errors import AdoptionBehind, NoSuchKey, TooEarly
from insula.keys.models import signs_for
from insula.keys.settings import KeyRotation
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.providers.build import Builder
from insula.providers.client_keys import ClientKeys
from insula.providers.settings import TokenLifetimes, longest_life
from insula.sign_in.cookies import Jar

pytestmark = pytest.mark.spec("features BEY-2", "protocol 5.5")

OURS, THEIRS = "192.0.2.7", "192.0.2.8"
PAGE = "https://spa.example"


class Street:
    """A tenant with an important application, its provider, and rows that can grow older."""

    def __init__(self, house, envelope, db):
        self.house, self.tenant, self.envelope, self.db = house, house.tenant, envelope, db
        door = Door(OutboundRules())
        self.sightings = Sightings()
        self.builder = Builder(
            envelope, Jar(secure=False), door, ClientKeys(door), UserCodes(bytes(32)),
            self.sightings,
        )  # fmt: skip

    async def ask(self, method, path, ip=OURS, body=b"", **headers):
        provider, _ = await self.builder.build(self.tenant)
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        if body:
            named.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "headers": named,
            "insula.client_ip": ip, "insula.request_id": "r",
        }  # fmt: skip
        await provider(scope, receive, send)
        return sent[0]["status"], b"".join(m.get("body", b"") for m in sent)

    async def prove(self, app, ip=OURS):
        """Ask about nothing, as a confidential client from an address."""
        both = b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
        status, _ = await self.ask(
            "POST", "/oauth2/introspect", ip, b"token=nothing", authorization=f"Basic {both}"
        )
        assert status == 200

    async def fetch(self, ip=OURS, **headers):
        assert (await self.ask("GET", "/oauth2/jwks", ip, **headers))[0] == 200

    def see(self, client, how, alg, kid):
        self.sightings.of(self.tenant).note(client, how, alg, kid)

    async def known(self):
        await self.sightings.flush()
        async with self.tenant.transaction() as db:
            return {each.client_id: each for each in await adoption.page(db, after="", limit=50)}

    async def behind(self, app):
        return (await self.known())[app.client_id].behind

    async def mark(self, app, **settings):
        await clients.change(
            self.tenant, app.client_id, settings or {"important": True}, development=True
        )

    async def publish(self):
        (kid,) = await service.publish(self.tenant, self.envelope, ["ES256"])
        self.age(published_at=timedelta(seconds=601))
        return kid

    async def advance(self):
        return await phases.advance(self.tenant, self.envelope, longest_life)

    def age(self, **spans):
        for column, span in spans.items():
            self.db.execute(
                f"update insula.signing_keys set {column} = {column} - %s where tenant_id = %s",  # noqa: S608
                [span, self.tenant.id],
            )

    def pass_time(self, **span):
        names = ("published_at", "activated_at", "retiring_at", "due_at")
        self.age(**dict.fromkeys(names, timedelta(**span)))

    def key(self, state, alg="ES256"):
        return self.db.execute(
            "select kid, published_at, activated_at, retiring_at, due_at, longest_life,"
            " waiting_since, waits_for from insula.signing_keys"
            " where tenant_id = %s and (state, alg) = (%s, %s)",
            [self.tenant.id, state, alg],
        ).fetchone()

    async def events(self, event):
        async with self.tenant.transaction() as db:
            return [row.metadata for row in await audit.newest(db) if row.event == event]


@pytest.fixture
def street(house, envelope, database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield Street(house, envelope, db)


async def test_a_fetch_from_where_one_application_proves_itself_is_evidence(street):
    app = street.house.web
    assert await street.behind(app) is None
    await street.fetch()  # nobody has proven themselves from there
    assert await street.behind(app) is None
    await street.prove(app)
    await street.fetch()
    known = (await street.known())[app.client_id]
    shown = {(each.kid, each.alg, each.how) for each in known.evidence}
    assert shown == {(street.key("active", alg).kid, alg, "fetched") for alg in ("ES256", "RS256")}
    assert known.behind is False
    assert not known.important
    assert abs(known.evidence[0].last_seen - datetime.now(UTC)) < timedelta(minutes=1)

    kid = await street.publish()
    assert await street.behind(app) is True
    await street.fetch(THEIRS)
    assert await street.behind(app) is True
    await street.fetch()
    known = (await street.known())[app.client_id]
    assert known.behind is False
    assert kid in {each.kid for each in known.evidence}
    assert (await street.known())[street.house.machine.client_id].behind is None


async def test_an_address_that_two_applications_share_says_nothing_of_either(street):
    for app in (street.house.web, street.house.machine):
        await street.prove(app)
    await street.fetch()
    assert {each.behind for each in (await street.known()).values()} == {None}


async def test_a_page_is_known_by_its_registered_origin_alone(street):
    spa = street.house.spa
    await street.mark(spa, allowed_origins=(PAGE,))
    form = f"grant_type=refresh_token&refresh_token=x&client_id={spa.client_id}".encode()
    for origin in (PAGE, "https://evil.example"):
        status, _ = await street.ask("POST", "/oauth2/token", OURS, form, origin=origin)
        assert status == 400
    await street.fetch()  # no page: a public client is not its address
    await street.fetch(origin="https://evil.example")
    assert await street.behind(spa) is None
    await street.fetch(origin=PAGE)
    assert await street.behind(spa) is False


async def test_what_is_seen_is_written_once_an_hour_and_bounded(street, monkeypatch):
    web, machine = street.house.web, street.house.machine
    written = []
    keep = adoption.store.write_adoption

    async def count(tenant, rows):
        written.extend(rows)
        await keep(tenant, rows)

    monkeypatch.setattr(adoption.store, "write_adoption", count)
    for _ in range(3):
        street.see(web.id, "used", "ES256", "k1")
        await street.sightings.flush()
    assert len(written) == 1
    monkeypatch.setattr(adoption, "_MOST_NOTED", 1)
    await street.sightings.flush()
    for client in (web.id, machine.id):
        street.see(client, "used", "ES256", "k2")
    await street.sightings.flush()
    assert [row[0] for row in written[1:]] == [web.id]  # the other one is lost
    await clients.delete(street.tenant, machine.client_id)
    street.see(machine.id, "used", "ES256", "k3")
    assert machine.client_id not in await street.known()
    ((one,),) = [each.evidence for each in (await street.known()).values() if each.evidence]
    assert (one.kid, one.how) == ("k2", "used")


async def test_what_could_not_be_written_is_seen_again(street, monkeypatch):
    app = street.house.web
    await street.prove(app)
    with monkeypatch.context() as broken:

        async def fail(_tenant, _rows):
            raise Unavailable("away")

        broken.setattr(adoption.store, "write_adoption", fail)
        await street.fetch()
        await street.sightings.flush()
    assert await street.behind(app) is None
    await street.fetch()
    assert await street.behind(app) is False


async def test_what_is_left_is_written_at_the_end(street):
    await street.sightings.start()
    street.see(street.house.web.id, "used", "ES256", "k1")
    await street.sightings.stop()
    street.sightings = Sightings()  # another process
    assert await street.behind(street.house.web) is False


async def test_an_important_application_that_is_behind_holds_a_promotion_up(street):
    app = street.house.web
    await street.mark(app)
    await street.prove(app)
    await street.fetch()
    await street.known()
    kid = await street.publish()
    with pytest.raises(AdoptionBehind) as refusal:
        await service.promote(street.tenant, kid)
    assert (refusal.value.code, refusal.value.behind) == ("adoption_behind", (app.client_id,))
    assert street.key("next").kid == kid

    await street.fetch()
    await street.known()
    await service.promote(street.tenant, kid)
    assert street.key("active").kid == kid
    assert await street.events("key.promoted") == [{"alg": "ES256"}]


async def test_nobody_waits_for_whom_nothing_is_known_of_or_who_does_not_matter(street):
    await street.mark(street.house.machine)  # important, and never seen
    street.see(street.house.web.id, "used", "ES256", "old")
    assert await street.behind(street.house.web) is False  # of nothing, while nothing is next
    kid = await street.publish()
    assert await street.behind(street.house.web) is True
    await service.promote(street.tenant, kid)
    assert street.key("active").kid == kid


async def test_a_reason_overrides_who_is_behind_but_not_the_lead(street):
    app = street.house.web
    await street.mark(app)
    street.see(app.id, "used", "ES256", "old")
    await street.known()
    (kid,) = await service.publish(street.tenant, street.envelope, ["ES256"])
    with pytest.raises(TooEarly):
        await service.promote(street.tenant, kid, override="now")
    street.age(published_at=timedelta(seconds=601))
    results = await asyncio.gather(
        *(service.promote(street.tenant, kid, override="the vendor is gone") for _ in range(2)),
        service.promote(street.tenant, kid),
        street.advance(),
        return_exceptions=True,
    )
    assert results.count(None) == 1
    refused = {type(each) for each in results if isinstance(each, Exception)}
    assert NoSuchKey in refused
    assert refused <= {NoSuchKey, AdoptionBehind}
    told = {"alg": "ES256", "behind": [app.client_id], "override": "the vendor is gone"}
    assert await street.events("key.promoted") == [told]
    states = [(k.alg, k.state) for k in await service.list_keys(street.tenant)]
    assert states.count(("ES256", "active")) == 1


async def test_the_job_waits_for_an_important_application_and_not_for_ever(street):
    app = street.house.web
    await config_overrides.change(street.tenant, KeyRotation, {"wait_days": 2})
    await street.mark(app)
    street.see(app.id, "used", "ES256", "old")
    await street.known()
    await street.advance()
    kid = await street.publish()
    street.pass_time(days=1)
    assert await street.advance() == []
    waiting = street.key("next")
    assert (waiting.kid, waiting.waits_for) == (kid, [app.client_id])
    assert waiting.due_at > datetime.now(UTC)  # it is looked at again, and not each minute
    since = waiting.waiting_since
    street.pass_time(days=1)
    assert await street.advance() == []
    assert street.key("next").waiting_since == since
    (told,) = await street.events("key.promotion_delayed")
    assert told["behind"] == [app.client_id]

    street.pass_time(days=1)
    assert await street.advance() == [f"promoted {kid}"]
    active = street.key("active")
    assert (active.kid, active.waiting_since, active.waits_for) == (kid, None, [])
    (told,) = await street.events("key.promoted")
    assert told == {"alg": "ES256", "behind": [app.client_id], "waited_days": 2}


async def test_the_job_goes_on_once_the_application_has_been_seen(street):
    app = street.house.web
    await street.mark(app)
    await street.prove(app)
    await street.fetch()
    await street.known()
    await street.advance()
    kid = await street.publish()
    street.pass_time(days=1)
    assert await street.advance() == []
    await street.fetch()
    await street.known()
    street.pass_time(minutes=16)
    assert await street.advance() == [f"promoted {kid}"]


async def test_a_changed_interval_moves_the_keys_there_are(street):
    async def decide(**values):
        await config_overrides.change(street.tenant, KeyRotation, values)

    await street.advance()
    street.pass_time(days=40)
    assert await street.advance() == []
    await decide(interval_days=30)
    assert street.key("active").due_at > datetime.now(UTC)  # a save moves nothing by itself
    assert len(await street.advance()) == 2
    published = street.key("next")
    assert street.key("active").due_at is None
    await decide(lead_seconds=3600)
    await street.advance()
    assert street.key("next").due_at == published.published_at + timedelta(hours=1)

    for alg in ("ES256", "RS256"):
        await service.retire(street.tenant, street.key("next", alg).kid)
    await decide(interval_days=300)
    assert await street.advance() == []
    active = street.key("active")
    assert active.due_at == active.activated_at + signs_for(active.kid, 300)
    await config_overrides.reset(street.tenant, KeyRotation)
    await street.advance()
    assert street.key("active").due_at == active.activated_at + signs_for(active.kid, 90)


@pytest.mark.spec("protocol 5.5")
def test_keys_of_one_interval_sign_for_times_of_their_own_and_never_for_longer():
    spans = [signs_for(f"key-{n}", 90) for n in range(200)]
    assert all(timedelta(days=81) <= span <= timedelta(days=90) for span in spans)
    assert len({span.days for span in spans}) >= 8
    assert signs_for("key-7", 90) == spans[7]


async def test_saves_and_looks_at_once_do_not_wait_for_each_other_in_a_ring(street):
    async def decide(days):
        await config_overrides.change(street.tenant, KeyRotation, {"interval_days": days})

    street.pass_time(days=91)
    await asyncio.gather(*(decide(n) for n in (100, 101, 102)), *(street.advance() for _ in "123"))
    await decide(110)
    await street.advance()
    active = street.key("active")
    assert active.due_at in (None, active.activated_at + signs_for(active.kid, 110))
    # each algorithm has its own day, so one may have a successor by then and the other none
    states = Counter((key.alg, key.state) for key in await service.list_keys(street.tenant))
    assert {state for _, state in states} <= {"active", "next"}
    assert [states[alg, "active"] for alg in {alg for alg, _ in states}] == [1, 1]
    assert set(states.values()) == {1}


async def test_the_platform_moves_and_bounds_the_keys_of_all_tenants(street, platform_door):
    await config_overrides.change(street.tenant, KeyRotation, {"interval_days": 200})
    await street.advance()
    active = street.key("active")
    assert active.due_at == active.activated_at + signs_for(active.kid, 200)
    street.db.execute(
        """insert into insula.platform_settings (section, bounds) values
             ('keys.rotation', '{"interval_days": 60, "lead_seconds": 172800}')"""
    )
    try:
        with pytest.raises(BoundViolated):
            await config_overrides.change(street.tenant, KeyRotation, {"lead_seconds": 600})
        found = await platform_door.fetch("select tenant_id from insula.tenants_with_keys_due()")
        assert street.tenant.id in {row.tenant_id for row in found}
        await street.advance()
        assert street.key("active").due_at == active.activated_at + signs_for(active.kid, 60)
        kid = await street.publish()
        published = street.key("next")
        assert published.kid == kid
        lead = published.due_at - published.published_at - timedelta(seconds=601)
        assert lead == timedelta(days=2)
    finally:
        street.db.execute("delete from insula.platform_settings where section = 'keys.rotation'")


async def test_the_overlap_is_made_of_the_longest_life_that_held_while_a_key_signed(street):
    async def lives(seconds):
        await config_overrides.change(street.tenant, TokenLifetimes, {"id_token": seconds})
        await street.advance()

    await street.advance()
    assert street.key("active").longest_life == 3600  # no id_token, but an API's token may
    await lives(80000)
    await lives(600)
    assert street.key("active").longest_life == 80000
    kid = await street.publish()
    await service.promote(street.tenant, kid)
    old, fresh = street.key("retiring"), street.key("active")
    assert old.due_at - old.retiring_at == timedelta(seconds=80000 + 315)
    assert fresh.longest_life is None
    await street.advance()
    assert street.key("active").longest_life == 3600
    await config_overrides.change(street.tenant, KeyRotation, {"overlap_seconds": 200000})
    await street.advance()
    old = street.key("retiring")
    assert old.due_at - old.retiring_at == timedelta(seconds=200000)
    street.pass_time(seconds=190000)
    with pytest.raises(TooEarly):
        await service.retire(street.tenant, old.kid)
    street.pass_time(seconds=11000)
    assert await service.retire_expired(street.tenant) == [old.kid]
