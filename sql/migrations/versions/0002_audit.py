"""The append-only record, partitioned by month so that it leaves by dropping partitions."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # No foreign key to tenants: each would lock the tenant's row for every line of every request,
    # and a purge leaves in batches, never by one cascade (features.md CR-9).
    op.execute("""
        create table insula.audit_events (
          tenant_id    uuid not null default insula.current_tenant(),
          id           uuid not null default gen_random_uuid(),
          at           timestamptz not null default now(),
          event        text not null check (event <> ''),
          status       text not null check (status in ('success', 'failed', 'info', 'warning')),
          actor_type   text not null
                       check (actor_type in ('user', 'admin', 'client', 'system', 'platform')),
          actor_id     text,
          on_behalf_of text,
          target_type  text,
          target_id    text,
          workspace_id uuid,
          ip           inet,
          user_agent   text,
          request_id   text,
          metadata     jsonb not null default '{}',
          primary key (tenant_id, id, at)
        ) partition by range (at);
        create index audit_events_newest on insula.audit_events (tenant_id, at desc, id);
    """)
