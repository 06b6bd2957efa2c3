"""What happened how often on which day, and a pause for clients."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    # A paused client is active in all that asks whether something lives: only what begins asks.
    op.execute("alter table insula.clients add column paused_at timestamptz")
    op.execute("create index grants_of_client on insula.grants (tenant_id, client_id)")
    # No reference to clients: a batch of counts must not fail for one that was deleted meanwhile.
    op.execute("""
        create table insula.tenant_days (
          tenant_id   uuid not null default insula.current_tenant()
                      references insula.tenants on delete cascade,
          id          uuid not null default gen_random_uuid(),
          client_id   uuid, -- what it is about; null is the tenant as a whole
          day         date not null,
          what        text not null check (what <> '' and length(what) <= 120),
          n           bigint not null check (n > 0),
          last_at     timestamptz not null,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique nulls not distinct (tenant_id, client_id, day, what)
        );
        create index tenant_days_dead on insula.tenant_days (sweep_after);

        create table insula.platform_days (
          day  date not null,
          what text not null check (what <> '' and length(what) <= 120),
          n    bigint not null check (n > 0),
          primary key (day, what)
        );
    """)
    # Policies hold the owner too; tenants that exist are counted once.
    op.execute("""
        alter table insula.tenants no force row level security;
        insert into insula.platform_days (day, what, n)
          select (t.created_at at time zone 'UTC')::date, 'tenant_made', count(*)
            from insula.tenants t where not t.protected group by 1;
        alter table insula.tenants force row level security;
    """)
