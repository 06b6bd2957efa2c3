"""Keys of requests that are done once, with what they were answered."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # No foreign keys: a row is written by every POST that asks for it, and leaves in a day.
    op.execute("""
        create table insula.idempotency_keys (
          tenant_id    uuid not null default insula.current_tenant(),
          id           uuid not null default gen_random_uuid(),
          key_hash     bytea not null,
          request_hash bytea not null,
          -- sealed; null until there is one
          answer       bytea check (octet_length(answer) <= 2097152),
          created_at   timestamptz not null default now(),
          expires_at   timestamptz not null,
          sweep_after  timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, key_hash)
        );
        create index idempotency_keys_dead on insula.idempotency_keys (sweep_after);
    """)
