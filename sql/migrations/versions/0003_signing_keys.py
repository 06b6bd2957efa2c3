"""A tenant's signing keys and the phases they go through."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table insula.signing_keys (
          tenant_id    uuid not null default insula.current_tenant()
                       references insula.tenants on delete cascade,
          id           uuid not null default gen_random_uuid(),
          kid          text not null,
          alg          text not null check (alg in ('RS256', 'ES256', 'PS256', 'EdDSA')),
          state        text not null
                       check (state in ('next', 'active', 'retiring', 'retired', 'revoked')),
          public_jwk   jsonb not null,
          sealed       bytea not null,
          created_at   timestamptz not null default now(),
          published_at timestamptz not null default now(),
          activated_at timestamptz,
          retiring_at  timestamptz,
          retired_at   timestamptz,
          revoked_at   timestamptz,
          -- when the key-phases job has something to do with this key
          due_at       timestamptz,
          primary key (tenant_id, id),
          unique (tenant_id, kid)
        );
        -- exactly one key signs for each algorithm
        create unique index signing_keys_one_active
          on insula.signing_keys (tenant_id, alg) where state = 'active';
        create unique index signing_keys_one_next
          on insula.signing_keys (tenant_id, alg) where state = 'next';
        create index signing_keys_due on insula.signing_keys (due_at) where due_at is not null;
    """)
