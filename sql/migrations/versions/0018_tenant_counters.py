"""What the platform's lists show and sort by is kept, so that no page counts or scans."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    # Beside the registry and not in it: a person who is made must not wait for a tenant that is
    # being renamed. Indexes are by bytes (collate "C"), so that a prefix is a range.
    op.execute("""
        alter table insula.tenants
          add column name_norm text not null generated always as (lower(display_name)) stored;
        create index tenants_in_order on insula.tenants (slug collate "C");
        create index tenants_of_status on insula.tenants (status, slug collate "C");
        create index tenants_by_name on insula.tenants (name_norm collate "C");
        create index tenants_newest on insula.tenants (created_at, id);
        create index tenant_hosts_in_order on insula.tenant_hosts (host collate "C");

        create table insula.tenant_counters (
          id              uuid primary key, -- the tenant's; comes and goes with it, by a trigger
          users           bigint not null default 0,
          last_sign_in_at timestamptz not null default '-infinity'
        );
        create index tenant_counters_largest on insula.tenant_counters (users, id);
        create index tenant_counters_liveliest on insula.tenant_counters (last_sign_in_at, id);

        create table insula.tenant_totals (
          status text primary key check (status in ('active', 'suspended', 'archived', 'deleting')),
          n      bigint not null default 0
        );
    """)
    # Policies hold the owner too; what exists already is counted once, before anybody else can look.
    op.execute("""
        alter table insula.tenants no force row level security;
        alter table insula.users no force row level security;
        insert into insula.tenant_counters (id, users)
          select t.id, (select count(*) from insula.users u where u.tenant_id = t.id)
            from insula.tenants t;
        insert into insula.tenant_totals (status, n)
          select s.status, (select count(*) from insula.tenants t
                             where t.status = s.status and not t.protected)
            from unnest(array['active', 'suspended', 'archived', 'deleting']) as s(status);
        alter table insula.tenants force row level security;
        alter table insula.users force row level security;
    """)
