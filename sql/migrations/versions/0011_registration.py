"""What a client that registered itself is held to, and when an administrator took it over."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        -- the policy of the token that let it in stays with the client, which outlives the token
        alter table insula.clients
          add column registration_policy jsonb not null default '{}'
              check (jsonb_typeof(registration_policy) = 'object'),
          add column adopted_at timestamptz;
        create index clients_dynamic on insula.clients (tenant_id) where origin = 'dynamic';
    """)
