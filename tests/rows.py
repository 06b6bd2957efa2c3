"""
One valid row for every table that has a tenant_id.

`insert` puts it in for whichever tenant is bound, with the rows that it refers to; columns that
have a default are left to it. A table without a builder fails a test.
"""

import secrets
from uuid import uuid4

from psycopg import sql
from psycopg.types.json import Jsonb

_SOON = "2999-01-01T00:00:00Z"

#: Tables that hold one row for each tenant, by a unique constraint.
ONE_EACH = frozenset({"tenant_data_keys"})


def _digest():
    return secrets.token_bytes(32)


def _name():
    return f"n{secrets.token_hex(8)}"


def insert(db, table, **given):
    """Insert a row and return its values; *given* replaces what the builder chose."""
    values = {**BUILDERS[table](db, given), **given}
    db.execute(
        sql.SQL("insert into insula.{} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )
    return values


def _parent(db, given, column, table):
    """The id of a row that is referred to, made if the caller did not choose one."""
    return given[column] if column in given else insert(db, table)["id"]


def _tenant_hosts(_db, _given):
    return {"host": f"{_name()}.example"}


def _host_proofs(_db, _given):
    return {"host": f"{_name()}.example", "method": "dns", "token": secrets.token_hex(20)}


def _tenant_data_keys(_db, _given):
    return {"wrapped": _digest()}


def _audit_events(_db, _given):
    return {"event": "user.created", "status": "success", "actor_type": "system"}


def _signing_keys(_db, _given):
    return {
        "kid": _name(),
        "alg": "ES256",
        "state": "retired",
        "public_jwk": Jsonb({}),
        "sealed": _digest(),
    }


def _users(_db, _given):
    name = _name()
    return {"id": uuid4(), "username": name, "username_norm": name}


def _user_roles(db, given):
    return {"user_id": _parent(db, given, "user_id", "users"), "role": "user"}


def _clients(_db, _given):
    return {"id": uuid4(), "client_id": _name(), "name": "Client"}


def _client_secrets(db, given):
    return {"client_id": _parent(db, given, "client_id", "clients"), "digest": _digest()}


def _sessions(db, given):
    return {
        "token_hash": _digest(),
        "user_id": _parent(db, given, "user_id", "users"),
        "amr": ["pwd"],
        "acr": "1",
        "idle_expires_at": _SOON,
        "absolute_expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _admin_sessions(db, given):
    return {
        "token_hash": _digest(),
        "user_id": _parent(db, given, "user_id", "users"),
        "amr": ["pwd"],
        "idle_expires_at": _SOON,
        "absolute_expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _activation_links(db, given):
    return {
        "token_hash": _digest(),
        "user_id": _parent(db, given, "user_id", "users"),
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _interactions(db, given):
    return {
        "browser_hash": _digest(),
        "kind": "authorize",
        "client_id": _parent(db, given, "client_id", "clients"),
        "parameters": Jsonb({}),
        "prompt": Jsonb({}),
        "step_expires_at": _SOON,
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _grants(db, given):
    return {
        "user_id": _parent(db, given, "user_id", "users"),
        "client_id": _parent(db, given, "client_id", "clients"),
        "scopes": ["openid"],
        "expires_at": _SOON,
    }


def _attempt_counters(_db, _given):
    return {
        "kind": "sign_in",
        "subject": _digest(),
        "n": 1,
        "window_ends_at": _SOON,
        "sweep_after": _SOON,
    }


def _authorization_codes(_db, _given):
    return {
        "id": uuid4(),
        "code_hash": _digest(),
        "client_id": uuid4(),
        "user_id": uuid4(),
        "session_id": uuid4(),
        "redirect_uri": "https://app.example/callback",
        "scopes": ["openid"],
        "auth_time": _SOON,
        "auth_time_wanted": False,
        "amr": ["pwd"],
        "acr": "1",
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _token_issues(_db, _given):
    return {
        "id": uuid4(),
        "kind": "code",
        "client_id": uuid4(),
        "scopes": ["openid"],
        "sweep_after": _SOON,
    }


def _access_tokens(_db, _given):
    return {
        "token_hash": _digest(),
        "issue_id": uuid4(),
        "scopes": ["openid"],
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _revoked_jtis(_db, _given):
    return {"jti_hash": _digest(), "sweep_after": _SOON}


def _refresh_families(_db, _given):
    return {
        "id": uuid4(),
        "client_id": uuid4(),
        "current_hash": _digest(),
        "idle_expires_at": _SOON,
        "absolute_expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _refresh_generations(db, given):
    return {
        "token_hash": _digest(),
        "family_id": _parent(db, given, "family_id", "refresh_families"),
        "generation": 1,
    }


def _tenant_settings(_db, _given):
    return {"section": f"oidc.{_name()}", "value": Jsonb({})}


def _config_plans(_db, _given):
    return {
        "scope": "tenant",
        "section": _name(),
        "changes": Jsonb({"id_token": 300}),
        "actor": Jsonb({"type": "system", "id": None}),
        "due_at": _SOON,
    }


def _config_versions(_db, _given):
    return {
        "scope": "tenant",
        "number": secrets.randbelow(1 << 40) + 1,
        "act": "config.updated",
        "actor": Jsonb({}),
        "changed": ["oidc.ttl.id_token"],
        "snapshot": Jsonb({}),
    }


def _resource_servers(_db, _given):
    return {"id": uuid4(), "identifier": f"https://{_name()}.example", "name": "Orders"}


def _scopes(db, given):
    return {
        "resource_server_id": _parent(db, given, "resource_server_id", "resource_servers"),
        "name": _name(),
    }


def _claim_mappings(_db, _given):
    return {"claim": _name(), "attribute": "department"}


def _owned_objects(_db, _given):
    owned = {"by": {"type": "system", "id": None}, "at": "2026-01-01T00:00:00+00:00"}
    return {"part": "clients", "name": _name(), "owned": Jsonb(owned)}


def _initial_access_tokens(_db, _given):
    return {
        "token_hash": _digest(),
        "uses_left": 1,
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _client_logos(db, given):
    return {
        "client_id": _parent(db, given, "client_id", "clients"),
        "digest": _digest(),
        "image": _digest(),
    }


def _assets(_db, _given):
    return {
        "kind": "favicon",
        "media_type": "image/png",
        "digest": _digest(),
        "image": _digest(),
        "width": 1,
        "height": 1,
        "kept_until": _SOON,
    }


def _pushed_requests(_db, _given):
    return {
        "request_hash": _digest(),
        "client_id": uuid4(),
        "parameters": Jsonb({}),
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _seen_once(_db, _given):
    return {"value_hash": _digest(), "sweep_after": _SOON}


def _device_grants(_db, _given):
    return {
        "device_code_hash": _digest(),
        "user_code_hash": _digest(),
        "client_id": uuid4(),
        "scopes": ["openid"],
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _idempotency_keys(_db, _given):
    return {
        "key_hash": _digest(),
        "request_hash": _digest(),
        "expires_at": _SOON,
        "sweep_after": _SOON,
    }


def _key_adoption(db, given):
    return {
        "client_id": _parent(db, given, "client_id", "clients"),
        "how": "used",
        "alg": "ES256",
        "kid": _name(),
        "last_seen": "2026-01-01T00:00:00Z",
    }


def _tenant_days(_db, _given):
    return {
        "client_id": uuid4(),
        "day": _SOON[:10],
        "what": "sign_in",
        "n": 1,
        "last_at": _SOON,
        "sweep_after": _SOON,
    }


def _session_clients(_db, _given):
    return {"sid": uuid4(), "client_id": uuid4(), "user_id": uuid4(), "sweep_after": _SOON}


BUILDERS = {
    name.removeprefix("_"): builder
    for name, builder in globals().copy().items()
    if name.startswith("_") and name not in {"_digest", "_name", "_parent"} and callable(builder)
}
