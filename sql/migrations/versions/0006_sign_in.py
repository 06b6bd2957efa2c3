"""Sessions, the interactions that lead to them, what people have allowed, and counted attempts."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        create table insula.sessions (
          tenant_id           uuid not null default insula.current_tenant()
                              references insula.tenants on delete cascade,
          id                  uuid not null default gen_random_uuid(),
          token_hash          bytea not null,
          user_id             uuid not null,
          auth_time           timestamptz not null default now(),
          amr                 text[] not null,
          acr                 text not null,
          ip                  inet,
          user_agent          text,
          created_at          timestamptz not null default now(),
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
        create index sessions_of_user on insula.sessions (tenant_id, user_id);
        create index sessions_dead on insula.sessions (sweep_after);

        create table insula.interactions (
          tenant_id        uuid not null default insula.current_tenant()
                           references insula.tenants on delete cascade,
          id               uuid not null default gen_random_uuid(),
          browser_hash     bytea not null,
          kind             text not null check (kind in ('authorize', 'sign_in', 'sign_out')),
          client_id        uuid,
          parameters       jsonb not null,
          prompt           jsonb not null,
          session_id       uuid,
          authenticated_at timestamptz,
          selected_at      timestamptz,
          consented        text[],
          -- the session whose person allowed it: another person's word is not theirs
          consented_by     uuid,
          denied_at        timestamptz,
          completed_at     timestamptz,
          created_at       timestamptz not null default now(),
          step_expires_at  timestamptz not null,
          expires_at       timestamptz not null,
          sweep_after      timestamptz not null,
          primary key (tenant_id, id),
          foreign key (tenant_id, client_id) references insula.clients (tenant_id, id) on delete cascade
        );
        create index interactions_dead on insula.interactions (sweep_after);

        create table insula.grants (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          user_id    uuid not null,
          client_id  uuid not null,
          scopes     text[] not null,
          granted_at timestamptz not null default now(),
          expires_at timestamptz not null,
          revoked_at timestamptz,
          primary key (tenant_id, id),
          unique (tenant_id, user_id, client_id),
          foreign key (tenant_id, user_id) references insula.users (tenant_id, id) on delete cascade,
          foreign key (tenant_id, client_id) references insula.clients (tenant_id, id) on delete cascade
        );

        create table insula.attempt_counters (
          tenant_id      uuid not null default insula.current_tenant()
                         references insula.tenants on delete cascade,
          id             uuid not null default gen_random_uuid(),
          kind           text not null,
          subject        bytea not null,
          n              integer not null,
          window_ends_at timestamptz not null,
          sweep_after    timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, kind, subject)
        );
        create index attempt_counters_dead on insula.attempt_counters (sweep_after);
    """)
