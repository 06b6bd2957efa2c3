"""Audiences and bound keys of tokens, pushed requests, devices, and what a session signed into."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        -- what a client knows a sign-in by: it stays when the same person proves themselves again
        alter table insula.sessions add column sid uuid not null default gen_random_uuid();
        create index sessions_of_sid on insula.sessions (tenant_id, sid);

        alter table insula.authorization_codes
          add column resources text[] not null default '{}',
          add column dpop_jkt text;

        alter table insula.token_issues
          drop constraint token_issues_kind_check,
          add constraint token_issues_kind_check
              check (kind in ('code', 'client_credentials', 'device', 'exchange', 'front_channel')),
          add column resources text[] not null default '{}',
          -- the issue that a token exchange went out from: it ends with that one
          add column parent_id uuid,
          add column act jsonb;
        create index token_issues_of_parent on insula.token_issues (tenant_id, parent_id)
          where parent_id is not null;

        alter table insula.access_tokens
          add column audience text[] not null default '{}',
          add column dpop_jkt text;

        alter table insula.refresh_families add column dpop_jkt text;

        create table insula.pushed_requests (
          tenant_id    uuid not null default insula.current_tenant(),
          id           uuid not null default gen_random_uuid(),
          request_hash bytea not null,
          client_id    uuid not null,
          parameters   jsonb not null,
          browser_hash bytea,
          created_at   timestamptz not null default now(),
          started_at   timestamptz,
          completed_at timestamptz,
          expires_at   timestamptz not null,
          sweep_after  timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, request_hash)
        );
        create index pushed_requests_dead on insula.pushed_requests (sweep_after);

        -- values that count once: the jti of an assertion or a proof, a signed request
        create table insula.seen_once (
          tenant_id   uuid not null default insula.current_tenant(),
          id          uuid not null default gen_random_uuid(),
          value_hash  bytea not null,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, value_hash)
        );
        create index seen_once_dead on insula.seen_once (sweep_after);

        create table insula.device_grants (
          tenant_id        uuid not null default insula.current_tenant(),
          id               uuid not null default gen_random_uuid(),
          device_code_hash bytea not null,
          user_code_hash   bytea not null,
          client_id        uuid not null,
          scopes           text[] not null,
          resources        text[] not null default '{}',
          status           text not null default 'pending'
                           check (status in ('pending', 'approved', 'denied', 'expired', 'redeemed')),
          interval_s       integer not null default 5,
          last_polled_at   timestamptz,
          ip               inet,
          user_agent       text,
          user_id          uuid,
          session_id       uuid,
          grant_id         uuid,
          auth_time        timestamptz,
          amr              text[],
          acr              text,
          created_at       timestamptz not null default now(),
          expires_at       timestamptz not null,
          sweep_after      timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, device_code_hash),
          unique (tenant_id, user_code_hash)
        );
        create index device_grants_dead on insula.device_grants (sweep_after);

        -- who is to be told when a sign-in ends; a row is the notice until it was delivered
        create table insula.session_clients (
          tenant_id    uuid not null default insula.current_tenant(),
          id           uuid not null default gen_random_uuid(),
          sid          uuid not null,
          client_id    uuid not null,
          user_id      uuid not null,
          created_at   timestamptz not null default now(),
          announced_at timestamptz,
          delivered_at timestamptz,
          sweep_after  timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, sid, client_id)
        );
        create index session_clients_dead on insula.session_clients (sweep_after);
    """)
