"""Two hosts of the engine that must not differ: the one in memory, and PostgreSQL."""

import secrets
from dataclasses import replace
from uuid import uuid4

from cachetools import TTLCache

from insula.clients import service as clients
from insula.clients.models import Metadata
from insula.devices.codes import UserCodes
from insula.kernel import clock
from insula.oidc.artefacts import (
    Advance,
    Authorized,
    DeviceRedemption,
    NewAccess,
    NewCode,
    NewDevice,
    NewRefresh,
    Redemption,
    UsedUp,
)
from insula.oidc.memory import Host
from insula.oidc.models import Caller, Client, ClientSecret, Lifetimes, Person, Session
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.providers.bursts import Bursts
from insula.providers.client_keys import ClientKeys
from insula.providers.clients import TenantClients
from insula.providers.devices import TenantDevices
from insula.providers.tokens import TenantTokens
from insula.sign_in.settings import SessionPolicy

CALLER = Caller("192.0.2.7", "tests", "request-1")
CALLBACK = "https://app.example/callback"
SCOPES = frozenset({"openid", "profile", "offline_access"})
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


def value(prefix):
    return f"ins_{prefix}_{secrets.token_urlsafe(32)}"


class World:
    """What the tests do with either host, in the words of the ports."""

    def new_code(self, client, session, **changes):
        authorized = Authorized(
            client=client,
            session=session,
            scopes=SCOPES,
            must_be_allowed=None,
            resources=(),
            claims="",
            auth_time_wanted=False,
            nonce="n-1",
            used_up=UsedUp(),
        )
        about = {name: changes.pop(name) for name in set(changes) & set(Authorized.__slots__)}
        code = NewCode(
            code=value("ac"),
            authorized=replace(authorized, **about),
            redirect_uri=CALLBACK,
            code_challenge="c" * 43,
            dpop_jkt=None,
            lifetime=60,
        )
        return replace(code, **changes)

    async def code(self, client, session, **changes):
        new = self.new_code(client, session, **changes)
        assert await self.tokens.issue_code(new, CALLER)
        return new.code

    def redemption(self, code, client, stored, *, opaque=False, refresh=True, bound=False):
        access = NewAccess(
            stored.issue_id, stored.scopes, 600, opaque=value("at") if opaque else None
        )
        family = NewRefresh(value("rt"), 1000, 5000, bound) if refresh else None
        return Redemption(code, client, stored, access, family, CALLER)

    async def redeemed(self, client, session, **options):
        """A family: its redemption, which holds the tokens."""
        code = await self.code(client, session)
        stored = await self.tokens.read_code(code, client)
        redemption = self.redemption(code, client, stored, **options)
        assert await self.tokens.redeem_code(redemption)
        return redemption

    def advance(self, presented, client, stored, *, opaque=False, idle=1000):
        access = NewAccess(
            stored.family_id, stored.scopes, 600, opaque=value("at") if opaque else None
        )
        successor = value("rt")
        answer = f"the answer with {successor}".encode()
        return Advance(presented, successor, client, stored, access, answer, idle, CALLER)

    async def rotate(self, token, client):
        """The successor of a refresh token."""
        stored = await self.tokens.read_refresh(token, client)
        advance = self.advance(token, client, stored)
        assert await self.tokens.advance_refresh(advance)
        return advance

    def new_device(self, client, **changes):
        device = NewDevice(
            device_code=value("dc"),
            user_code="".join(secrets.choice(_CONSONANTS) for _ in range(8)),
            client=client,
            scopes=SCOPES,
            resources=(),
            lifetime=600,
            interval=5,
        )
        return replace(device, **changes)

    async def device(self, client, session=None, **changes):
        """A device that waits; with a *session*, one that was approved."""
        new = self.new_device(client, **changes)
        assert await self.devices.begin(new, CALLER)
        if session is not None:
            await self.approve(new, session)
        return new

    async def approval(self, new):
        """What the poll says that the device is let in with."""
        poll = await self.devices.poll(new.device_code, new.client)
        assert poll.state == "approved"
        return poll.approved

    def device_redemption(self, new, approved, *, opaque=False, refresh=True, bound=False):
        access = NewAccess(
            approved.issue_id, approved.scopes, 600, opaque=value("at") if opaque else None
        )
        family = NewRefresh(value("rt"), 1000, 5000, bound) if refresh else None
        return DeviceRedemption(new.device_code, new.client, approved, access, family, CALLER)

    async def state(self, token, client):
        stored = await self.tokens.read_refresh(token, client)
        return None if stored is None else stored.state


class Memory(World):
    def __init__(self):
        self.host = Host()
        self.tokens = self.host.tokens
        self.clients = self.host.clients
        self.devices = self.host.devices
        self._back = []

    async def client(self, **changes):
        values = {"redirect_uris": (CALLBACK,), "scopes": SCOPES, **changes}
        client = Client(uuid4(), value("cl"), "App", **values)
        return self.clients.add(client, "" if client.is_public else "a secret")

    def allow(self, session, client, scopes):
        self.host.people.granted[session.user_id, client.id] = frozenset(scopes)

    async def revoke_grant(self, session):
        granted = self.host.people.granted
        for key in [key for key in granted if key[0] == session.user_id]:
            del granted[key]

    async def session(self):
        person = Person(uuid4(), {"name": "Ada"})
        return self.host.people.sessions[self.host.people.sign_in(person)]

    async def disable_person(self, session):
        del self.host.people.persons[session.user_id]

    async def lock_person(self, session):
        await self.disable_person(session)

    async def end_session(self, session):
        sessions = self.host.people.sessions
        self.host.people.sessions = {k: s for k, s in sessions.items() if s != session}

    async def deactivate(self, client):
        del self.clients.active[client.client_id]

    async def approve(self, new, session):
        self.devices.approve(new.user_code, session, self.host.people.persons[session.user_id])

    async def deny(self, new):
        self.devices.deny(new.user_code)

    async def later(self, seconds):
        self._back.append(clock.shift(seconds))

    def restore(self):
        for back in self._back:
            back()


#: Whatever of a tenant has a time.
_TIMED = (
    "authorization_codes", "token_issues", "access_tokens", "refresh_families", "revoked_jtis",
    "sessions", "grants", "client_secrets", "attempt_counters", "device_grants",
)  # fmt: skip


class PostgreSql(World):
    def __init__(self, tenant, db):
        self.tenant = tenant
        self._db = db
        self.tokens = TenantTokens(tenant, Lifetimes(), SessionPolicy(idle_timeout_minutes=60))
        self._codes = UserCodes(b"k" * 32)
        self.devices = TenantDevices(tenant, self._codes, self.tokens)
        self.clients = TenantClients(
            tenant, TTLCache(100, 60), ClientKeys(Door(OutboundRules())), Bursts()
        )

    async def client(self, **changes):
        metadata = Metadata.model_validate({"redirect_uris": (CALLBACK,), **changes})
        made = await clients.register(self.tenant, "App", metadata)
        found = await clients.find(self.tenant, made.client_id)
        assert isinstance(found, Client)
        return found

    def run(self, sql, *values):
        return self._db.execute(sql, values)

    async def session(self):
        name = secrets.token_hex(6)
        user_id, session_id = uuid4(), uuid4()
        self.run(
            "insert into insula.users (tenant_id, id, username, username_norm, display_name)"
            " values (%s, %s, %s, %s, 'Ada')",
            self.tenant.id, user_id, name, name,
        )  # fmt: skip
        self.run(
            "insert into insula.sessions (tenant_id, id, token_hash, user_id, amr, acr,"
            " idle_expires_at, absolute_expires_at, sweep_after)"
            " values (%s, %s, %s, %s, '{pwd}', 'urn:1', now() + interval '1 day',"
            " now() + interval '1 day', now() + interval '2 days')",
            self.tenant.id, session_id, secrets.token_bytes(32), user_id,
        )  # fmt: skip
        return Session(session_id, user_id, int(clock.now()), ("pwd",), "urn:1")

    def allow(self, session, client, scopes=("openid",)):
        """What the person has allowed the client, from now on part of what is issued."""
        self.run(
            "insert into insula.grants (tenant_id, user_id, client_id, scopes, expires_at)"
            " values (%s, %s, %s, %s, now() + interval '90 days')",
            self.tenant.id, session.user_id, client.id, list(scopes),
        )  # fmt: skip

    async def approve(self, new, session):
        """What the page does when somebody lets a device in."""
        self.run(
            "update insula.device_grants g set status = 'approved', user_id = s.user_id,"
            " session_id = s.id, auth_time = s.auth_time, amr = s.amr, acr = s.acr,"
            " grant_id = (select x.id from insula.grants x where x.user_id = s.user_id"
            "              and x.client_id = g.client_id)"
            " from insula.sessions s where s.id = %s and g.user_code_hash = %s",
            session.id, self._codes.digest(self.tenant.id, new.user_code),
        )  # fmt: skip

    async def deny(self, new):
        self.run(
            "update insula.device_grants set status = 'denied' where user_code_hash = %s",
            self._codes.digest(self.tenant.id, new.user_code),
        )

    async def revoke_grant(self, session):
        self.run("update insula.grants set revoked_at = now() where user_id = %s", session.user_id)

    async def disable_person(self, session):
        self.run("update insula.users set status = 'disabled' where id = %s", session.user_id)

    async def lock_person(self, session):
        self.run(
            "update insula.users set locked_until = now() + interval '1 hour' where id = %s",
            session.user_id,
        )

    async def end_session(self, session, why=None):
        self.run(
            "update insula.sessions set ended_at = now(), ended_for = %s where id = %s",
            why, session.id,
        )  # fmt: skip

    async def deactivate(self, client):
        self.run("update insula.clients set status = 'inactive' where id = %s", client.id)

    async def suspend(self):
        self.run("update insula.tenants set status = 'suspended' where id = %s", self.tenant.id)

    async def later(self, seconds):
        """Let time pass for this tenant: everything of it was that much earlier."""
        for table in _TIMED:
            columns = self.run(
                "select attname as name from pg_attribute where attrelid = %s::regclass"
                " and atttypid = 'timestamptz'::regtype and not attisdropped",
                f"insula.{table}",
            ).fetchall()
            moved = ", ".join(
                f"{c.name} = {c.name} - make_interval(secs => %(s)s)" for c in columns
            )
            self._db.execute(
                f"update insula.{table} set {moved} where tenant_id = %(t)s",  # noqa: S608  (ours)
                {"s": seconds, "t": self.tenant.id},
            )

    def restore(self):
        """Nothing is shared."""


def with_secret(client, digest, expires_at=None):
    return replace(client, secrets=(*client.secrets, ClientSecret(digest, expires_at)))
