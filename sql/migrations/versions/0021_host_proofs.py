"""A login domain is proven before it leads to a tenant, and rests before another tenant has it."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    # A line of tenant_hosts is a domain that was proven: it leads to the tenant unless it lapsed.
    # What is being proven, and how, stands beside it, where two tenants may both try.
    op.execute(r"""
        alter table insula.tenant_hosts
          add column lapsed_at timestamptz; -- its proof failed for good: it leads nowhere since

        create table insula.host_proofs (
          tenant_id       uuid not null default insula.current_tenant()
                          references insula.tenants on delete cascade,
          id              uuid not null default gen_random_uuid(),
          host            text not null check (host = lower(host) and host !~ '[/\:@ ]' and length(host) <= 253),
          method          text not null check (method in ('dns', 'meta', 'file')),
          token           text not null check (token ~ '^[a-z0-9]{32,64}$'),
          primary_wanted  boolean not null default false, -- to be the issuer's host once it is proven
          proven_by       text check (proven_by in ('dns', 'meta', 'file', 'admin_override')),
          proven_at       timestamptz, -- the last good proof
          override_reason text check (length(override_reason) <= 500),
          checked_at      timestamptz,
          found           text not null default '' check (length(found) <= 1000), -- by the last check that failed
          failures        integer not null default 0, -- since the last good proof
          silences        integer not null default 0, -- checks in a row that no host answered
          created_at      timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id, host)
        );
        create index host_proofs_in_doubt on insula.host_proofs (tenant_id) where failures > 0;

        -- Domains that a tenant had until lately, by a digest; whose they were may be gone.
        create table insula.released_hosts (
          host_digest bytea primary key check (length(host_digest) = 32),
          former      uuid not null,
          released_at timestamptz not null default now()
        );
        create index released_hosts_oldest on insula.released_hosts (released_at);
    """)
    # Domains of before were given on the operator's word, which stands. Policies hold the owner too.
    op.execute("""
        alter table insula.tenant_hosts no force row level security;
        insert into insula.host_proofs
          (tenant_id, host, method, token, proven_by, proven_at, override_reason, created_at)
          select h.tenant_id, h.host, 'dns',
                 replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
                 'admin_override', h.created_at, 'Given before domains were proven', h.created_at
            from insula.tenant_hosts h;
        alter table insula.tenant_hosts force row level security;
    """)
