"""Templates of tenants: named sets of settings, each save a version."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute(r"""
        -- the platform's, so without a tenant: who is founded from one gets a copy
        create table insula.tenant_templates (
          name        text not null check (name ~ '^[a-z0-9](?\:[a-z0-9-]{0,61}[a-z0-9])?$'),
          version     bigint not null check (version > 0),
          description text not null default '' check (length(description) <= 500),
          settings    jsonb not null check (jsonb_typeof(settings) = 'object'),
          saved_by    jsonb not null,
          saved_at    timestamptz not null default now(),
          primary key (name, version)
        );
    """)
