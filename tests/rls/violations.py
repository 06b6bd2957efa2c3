"""
What the gate must find: the query, what is planted, and the object that it then names.

`CLOSED` is a table of the right shape; most violations are one statement away from it.
"""

CLOSED = """
    create table insula.planted (
      tenant_id uuid not null default insula.current_tenant() references insula.tenants
        on delete cascade,
      id uuid not null default gen_random_uuid(),
      primary key (tenant_id, id)
    );
    alter table insula.planted enable row level security;
    alter table insula.planted force row level security;
    create policy tenant_isolation on insula.planted to insula_app, insula_platform
      using (tenant_id = (select insula.current_tenant()))
      with check (tenant_id = (select insula.current_tenant()));
    create policy tenant_wall on insula.planted as restrictive to insula_app, insula_platform
      using (tenant_id = (select insula.current_tenant()))
      with check (tenant_id = (select insula.current_tenant()));
    grant select, delete on insula.planted to insula_app;
    grant insert (id) on insula.planted to insula_app;
"""


def _on_closed(sql):
    return CLOSED + sql


VIOLATIONS = {
    "a table without policies enabled": (
        "a",
        _on_closed("alter table insula.planted disable row level security"),
        "insula.planted",
    ),
    "a table whose owner walks through": (
        "a",
        _on_closed("alter table insula.planted no force row level security"),
        "insula.planted",
    ),
    "a table without a wall": (
        "a",
        _on_closed("drop policy tenant_wall on insula.planted"),
        "insula.planted",
    ),
    "a wall that lets everything through": (
        "a",
        _on_closed("alter policy tenant_wall on insula.planted using (true) with check (true)"),
        "insula.planted",
    ),
    "a wall that holds only one serving role": (
        "a",
        _on_closed("alter policy tenant_wall on insula.planted to insula_app"),
        "insula.planted",
    ),
    "a policy that calls the function bare": (
        "b",
        _on_closed(
            "alter policy tenant_isolation on insula.planted"
            " using (tenant_id = insula.current_tenant())"
        ),
        "insula.planted tenant_isolation",
    ),
    "a policy that reads the setting bare beside a sub-select": (
        "b",
        _on_closed(
            "alter policy tenant_isolation on insula.planted"
            " using (tenant_id = (select insula.current_tenant())"
            " and current_setting('insula.tenant_id', true) <> '')"
        ),
        "insula.planted tenant_isolation",
    ),
    "an index that does not begin with the tenant": (
        "c1",
        _on_closed("create index planted_by_id on insula.planted (id, tenant_id)"),
        "insula.planted_by_id",
    ),
    "an index on an expression": (
        "c1",
        _on_closed("create index planted_by_text on insula.planted ((id::text))"),
        "insula.planted_by_text",
    ),
    "a reference without the tenant": (
        "c2",
        _on_closed("""
            alter table insula.planted add constraint planted_id_key unique (id);
            create table insula.pointing (
              tenant_id uuid not null default insula.current_tenant(), planted_id uuid,
              constraint crosses foreign key (planted_id) references insula.planted (id)
                on delete cascade)"""),
        "insula.pointing crosses",
    ),
    "a reference that pairs the tenant with something else": (
        "c2",
        _on_closed("""
            create table insula.pointing (
              tenant_id uuid not null default insula.current_tenant(), planted_id uuid,
              constraint crosses foreign key (planted_id, tenant_id)
                references insula.planted (tenant_id, id) on delete cascade)"""),
        "insula.pointing crosses",
    ),
    "a view that runs as its owner": (
        "d",
        "create view insula.peephole as select username from insula.users",
        "insula.peephole",
    ),
    "a view that says so": (
        "d",
        (
            "create view insula.peephole with (security_invoker = off) as"
            " select username from insula.users"
        ),
        "insula.peephole",
    ),
    "a definer function outside the list": (
        "e",
        (
            "create function insula.peek() returns bigint language sql stable security definer"
            " set search_path = pg_catalog, pg_temp return 1"
        ),
        "insula.peek()",
    ),
    "an overload of a listed function": (
        "e",
        (
            "create function insula.find_tenant(uuid) returns bigint language sql stable"
            " security definer set search_path = pg_catalog, pg_temp return 1"
        ),
        "insula.find_tenant(uuid)",
    ),
    "a listed function that is gone": (
        "e",
        "drop function insula.sweep_expired(text, integer)",
        "insula.sweep_expired(text,integer)",
    ),
    "a serving role that bypasses": ("f", "alter role insula_app bypassrls", "insula_app"),
    "a serving superuser": ("f", "alter role insula_platform superuser", "insula_platform"),
    "a definer role that bypasses": ("f", "alter role insula_definer bypassrls", "insula_definer"),
    "a serving role that can become a strong one": (
        "f",
        "create role strong bypassrls; grant strong to insula_app",
        "insula_app",
    ),
    "a serving role that owns a table": (
        "f",
        _on_closed(
            "grant create on schema insula to insula_app;"
            "alter table insula.planted owner to insula_app"
        ),
        "insula.planted",
    ),
    "truncate granted": ("f", "grant truncate on insula.users to insula_app", "insula.users"),
    "references granted": (
        "f",
        "grant references on insula.users to insula_platform",
        "insula.users",
    ),
    "a trigger granted": ("f", "grant trigger on insula.users to insula_app", "insula.users"),
    "a grant to everybody": ("f", "grant select on insula.users to public", "insula.users"),
    "a materialised view": (
        "g",
        "create materialized view insula.frozen as select username from insula.users",
        "insula.frozen",
    ),
    "a grant on a partition": (
        "g",
        (
            "do $$ begin execute format('grant select on %s to insula_app',"
            " (select min(inhrelid::regclass::text) from pg_inherits"
            " where inhparent = 'insula.audit_events'::regclass)); end $$"
        ),
        "insula.audit_events_",
    ),
    "a column granted on a child": (
        "g",
        _on_closed(
            "create table insula.child () inherits (insula.planted);"
            "grant select (id) on insula.child to insula_platform"
        ),
        "insula.child",
    ),
    "an insert that may name the tenant": (
        "i",
        _on_closed("grant insert (tenant_id) on insula.planted to insula_app"),
        "insula.planted",
    ),
    "an update that may move the tenant": (
        "i",
        _on_closed("grant update on insula.planted to insula_platform"),
        "insula.planted",
    ),
    "a tenant_id without its default": (
        "j",
        _on_closed("alter table insula.planted alter tenant_id drop default"),
        "insula.planted",
    ),
    "a tenant_id with a tenant of its own": (
        "j",
        _on_closed(
            "alter table insula.planted alter tenant_id"
            " set default '00000000-0000-4000-8000-000000000001'"
        ),
        "insula.planted",
    ),
    "a tenant_id that may be missing": (
        "j",
        "create table insula.planted (tenant_id uuid default insula.current_tenant())",
        "insula.planted",
    ),
    "a definer function with the caller's search_path": (
        "k",
        "alter function insula.find_tenant(text) reset search_path",
        "insula.find_tenant(text)",
    ),
    "a definer function with temporary objects first": (
        "k",
        "alter function insula.find_tenant(text) set search_path = pg_catalog",
        "insula.find_tenant(text)",
    ),
    "a definer function that runs as the owner": (
        "k",
        "alter function insula.find_tenant(text) owner to insula_owner",
        "insula.find_tenant(text)",
    ),
    "a table of everybody's rows": (
        "l",
        "create table insula.notes (text text); grant select on insula.notes to insula_app",
        "insula.notes",
    ),
    "the registry without policies": (
        "l",
        "alter table insula.tenants disable row level security",
        "insula.tenants",
    ),
}
