"""Codes, what was issued from them, refresh families and their generations."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # These rows are written by every request, so they carry no foreign keys: each would lock the
    # row of the client, the person and the tenant for every token. Whether those still live is
    # joined when a row is used (docs/decisions/0006).
    op.execute("""
        create table insula.authorization_codes (
          tenant_id        uuid not null default insula.current_tenant(),
          id               uuid not null,
          code_hash        bytea not null,
          client_id        uuid not null,
          user_id          uuid not null,
          session_id       uuid not null,
          grant_id         uuid,
          redirect_uri     text not null,
          code_challenge   text,
          nonce            text,
          scopes           text[] not null,
          claims           text not null default '',
          auth_time        timestamptz not null,
          auth_time_wanted boolean not null,
          amr              text[] not null,
          acr              text not null,
          created_at       timestamptz not null default now(),
          expires_at       timestamptz not null,
          consumed_at      timestamptz,
          sweep_after      timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, code_hash)
        );
        create index authorization_codes_dead on insula.authorization_codes (sweep_after);

        create table insula.token_issues (
          tenant_id        uuid not null default insula.current_tenant(),
          id               uuid not null,
          kind             text not null check (kind in ('code', 'client_credentials')),
          client_id        uuid not null,
          user_id          uuid,
          session_id       uuid,
          grant_id         uuid,
          -- whether everything ends with the session (no offline_access)
          session_bound    boolean not null default false,
          scopes           text[] not null,
          claims           text not null default '',
          auth_time        timestamptz,
          auth_time_wanted boolean not null default false,
          amr              text[] not null default '{}',
          acr              text,
          created_at       timestamptz not null default now(),
          revoked_at       timestamptz,
          revoked_for      text,
          sweep_after      timestamptz not null,
          primary key (tenant_id, id)
        );
        create index token_issues_of_session on insula.token_issues (tenant_id, session_id)
          where session_id is not null;
        create index token_issues_of_user on insula.token_issues (tenant_id, user_id)
          where user_id is not null;
        create index token_issues_of_client on insula.token_issues (tenant_id, client_id);
        create index token_issues_dead on insula.token_issues (sweep_after);

        create table insula.access_tokens (
          tenant_id   uuid not null default insula.current_tenant(),
          id          uuid not null default gen_random_uuid(),
          token_hash  bytea not null,
          issue_id    uuid not null,
          scopes      text[] not null,
          created_at  timestamptz not null default now(),
          expires_at  timestamptz not null,
          revoked_at  timestamptz,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, token_hash)
        );
        create index access_tokens_dead on insula.access_tokens (sweep_after);

        create table insula.revoked_jtis (
          tenant_id   uuid not null default insula.current_tenant(),
          id          uuid not null default gen_random_uuid(),
          jti_hash    bytea not null,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, jti_hash)
        );
        create index revoked_jtis_dead on insula.revoked_jtis (sweep_after);

        create table insula.refresh_families (
          tenant_id           uuid not null default insula.current_tenant(),
          id                  uuid not null,
          client_id           uuid not null,
          current_hash        bytea not null,
          previous_hash       bytea,
          generation          integer not null default 1,
          advanced_at         timestamptz,
          replay_copy         bytea,
          idle_expires_at     timestamptz not null,
          absolute_expires_at timestamptz not null,
          created_at          timestamptz not null default now(),
          revoked_at          timestamptz,
          revoked_for         text,
          sweep_after         timestamptz not null,
          primary key (tenant_id, id)
        );
        create index refresh_families_dead on insula.refresh_families (sweep_after);
        create index refresh_families_copies on insula.refresh_families (advanced_at)
          where replay_copy is not null;

        create table insula.refresh_generations (
          tenant_id  uuid not null default insula.current_tenant(),
          token_hash bytea not null,
          family_id  uuid not null,
          generation integer not null,
          primary key (tenant_id, token_hash),
          -- leaves with its family, which is swept when nothing of it can be replayed any more
          foreign key (tenant_id, family_id)
            references insula.refresh_families (tenant_id, id) on delete cascade
        );
        create index refresh_generations_of_family
          on insula.refresh_generations (tenant_id, family_id);
    """)
