"""The platform finds a tenant by the beginning of a domain that it has claimed and not proven."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.execute("""
        create index host_proofs_in_order on insula.host_proofs (host collate "C");
    """)
