"""Devices that a person has let in and that have not come back: few, and found by the person."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("""
        create index device_grants_approved on insula.device_grants (tenant_id, user_id)
         where status = 'approved'
    """)
