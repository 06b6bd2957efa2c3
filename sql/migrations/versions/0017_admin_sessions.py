"""Sessions of administrators: apart from those that applications are reached with."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("""
        create table insula.admin_sessions (
          tenant_id           uuid not null default insula.current_tenant()
                              references insula.tenants on delete cascade,
          id                  uuid not null default gen_random_uuid(),
          token_hash          bytea not null,
          user_id             uuid not null,
          audience            text not null default 'admin' check (audience = 'admin'),
          amr                 text[] not null,
          ip                  inet,
          user_agent          text,
          created_at          timestamptz not null default now(),
          -- when the person last proved who they are, for acts that ask for it again
          proved_at           timestamptz not null default now(),
          last_seen_at        timestamptz not null default now(),
          idle_expires_at     timestamptz not null,
          absolute_expires_at timestamptz not null,
          ended_at            timestamptz,
          ended_for           text,
          sweep_after         timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, token_hash),
          foreign key (tenant_id, user_id) references insula.users (tenant_id, id) on delete cascade
        );
        create index admin_sessions_of_user on insula.admin_sessions (tenant_id, user_id);
        create index admin_sessions_dead on insula.admin_sessions (sweep_after);
    """)
