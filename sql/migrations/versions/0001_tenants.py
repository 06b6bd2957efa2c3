"""The registry: tenants, their hosts, and the data key that each tenant's secrets are sealed with."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(r"""
        create table insula.tenants (
          id           uuid primary key default gen_random_uuid(),
          slug         text not null unique check (slug ~ '^[a-z0-9_][a-z0-9_-]{0,62}$'),
          display_name text not null check (display_name <> '' and length(display_name) <= 255),
          status       text not null default 'active'
                       check (status in ('active', 'suspended', 'archived', 'deleting')),
          protected    boolean not null default false,
          version      bigint not null default 1,
          changed_xid  xid8 not null default pg_current_xact_id(),
          -- sessions and tokens from before this moment are dead: one line ends them all (CR-7, CR-9)
          access_ended_at timestamptz not null default '-infinity',
          created_at   timestamptz not null default now(),
          updated_at   timestamptz not null default now()
        );
        create index tenants_changed on insula.tenants (changed_xid);

        create table insula.tenant_hosts (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          host       text not null check (host = lower(host) and host !~ '[/\:@ ]' and length(host) <= 253),
          is_primary boolean not null default false,
          created_at timestamptz not null default now(),
          primary key (tenant_id, host),
          constraint tenant_hosts_host_key unique (host)
        );
        create unique index tenant_hosts_one_primary on insula.tenant_hosts (tenant_id) where is_primary;

        create table insula.tenant_data_keys (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          wrapped    bytea not null,
          created_at timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id)
        );

        -- The implicit tenant of single-tenant mode and of the development fallback. The id is
        -- hard-coded (features.md A11); rows of other tables need one to point at.
        insert into insula.tenants (id, slug, display_name, protected)
        values ('00000000-0000-4000-8000-000000000001', 'default', 'Insula', true);
    """)
