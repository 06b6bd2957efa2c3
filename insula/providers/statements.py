"""
Pieces that several hot statements share, so that liveness means the same everywhere.

A tenant, client, person, grant and session is alive or not at the moment of use (protocol.md
section 6, Liveness); these fragments are the one place that says so.
"""

from collections.abc import Mapping

from insula.tenancy.db import Statement, statement

#: The SQL type of every parameter of the hot statements, so that they can be prepared.
TYPES: Mapping[str, str] = {
    **dict.fromkeys(
        ("tenant_id", "client", "user_id", "session_id", "interaction", "family", "issue", "id", "parent"), "uuid"
    ),
    **dict.fromkeys(
        (
            "session_hash", "browser_hash", "code_hash", "refresh_hash", "new_hash", "access_hash",
            "jti_hash", "replay_copy", "subject", "pushed_hash", "value_hash", "mark_hash",
            "device_hash", "user_code_hash",
        ),
        "bytea",
    ),
    **dict.fromkeys(
        (
            "session_idle", "session_absolute", "lifetime", "keep", "idle", "absolute", "access_life",
            "grace", "window", "once_keep",
        ),
        "interval",
    ),
    **dict.fromkeys(("scopes", "must_be_allowed", "access_scopes", "amr", "resources", "audience"), "text[]"),
    **dict.fromkeys(("session_bound", "auth_time_wanted"), "boolean"),
    **dict.fromkeys(("auth_time", "expires_at"), "bigint"),
    "interval_s": "integer",
    **dict.fromkeys(
        (
            "redirect_uri", "code_challenge", "nonce", "claims", "acr", "why", "actor_type", "actor_id",
            "ip", "user_agent", "request_id", "metadata", "dpop_jkt", "access_jkt", "parameters", "act",
        ),
        "text",
    ),
}  # fmt: skip


def hot(text: str) -> Statement:
    """A hot statement: prepared once on each connection, since planning it is most of its cost."""
    return statement(text, TYPES)


#: The person may be let in: active, and not in a timed lock.
PERSON_ALIVE = "u.status = 'active' and (u.locked_until is null or u.locked_until <= now())"

SESSION_ALIVE = """s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
         and s.created_at > (select w.access_ended_at from insula.tenants w where w.id = s.tenant_id)"""

GRANT_ALIVE = "g.revoked_at is null and g.expires_at > now()"


def granted(row: str) -> str:
    """What *row* was issued for is allowed still, where it was the person who had to allow it."""
    return f"""({row}.grant_id is null
          or exists (select from insula.grants g
                      where g.tenant_id = {row}.tenant_id and g.id = {row}.grant_id and {GRANT_ALIVE}))"""


#: What a token says of a person.
PERSON = """u.username, u.email, u.email_verified, u.display_name, u.given_name, u.family_name,
       u.locale, u.zoneinfo, u.phone_number, u.phone_verified, u.attributes,
       extract(epoch from u.updated_at)::bigint as updated_at"""

#: Tenant and client of a token's row `x` still serve.
OWNERS = """join insula.tenants t on t.id = x.tenant_id and t.status = 'active'
  join insula.clients c on c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'"""

#: An issue `x` with everything it hangs on; the where clause to go with it is ISSUE_ALIVE.
ISSUE_JOINS = f"""{OWNERS}
  left join insula.users u on u.tenant_id = x.tenant_id and u.id = x.user_id
  left join insula.grants g on g.tenant_id = x.tenant_id and g.id = x.grant_id
  left join insula.sessions s on s.tenant_id = x.tenant_id and s.id = x.session_id"""

ISSUE_ALIVE = f"""x.revoked_at is null and x.created_at > t.access_ended_at
   and (x.user_id is null or ({PERSON_ALIVE}))
   and (x.grant_id is null or ({GRANT_ALIVE}))
   and (not x.session_bound or ({SESSION_ALIVE}))"""

#: What an exchanged token came from is alive too (TX-6). Apart, since each table that a statement
#: names costs every caller something, and few tokens were exchanged.
PARENT_ALIVE = """(x.parent_id is null
        or exists (select from insula.token_issues p
                     join insula.clients pc on pc.tenant_id = p.tenant_id and pc.id = p.client_id
                                           and pc.status = 'active'
                    where p.tenant_id = x.tenant_id and p.id = x.parent_id and p.revoked_at is null))"""


def audit_line(
    event: str, source: str, *, status: str = "success", target: str = "'token_issue'"
) -> str:
    """
    An insert into the record that rides in a hot statement, once for each row of *source*.

    *source* must have `id`; the parameters actor_type, actor_id, ip, user_agent and request_id
    belong to the statement.
    """
    return f"""
      insert into insula.audit_events
        (event, status, actor_type, actor_id, target_type, target_id, ip, user_agent, request_id, metadata)
      select '{event}', '{status}', %(actor_type)s, %(actor_id)s, {target}, {source}.id::text,
             %(ip)s::inet, %(user_agent)s, %(request_id)s, %(metadata)s::jsonb
        from {source}"""  # noqa: S608  (constants of ours)
