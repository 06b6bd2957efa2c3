"""
APIs and scopes say by the clock when they were made.

Their transaction may have begun before the one of the same name was deleted, and what was given for
that one must be older than what was made after it.
"""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("""
        alter table insula.resource_servers alter column created_at set default clock_timestamp();
        alter table insula.scopes alter column created_at set default clock_timestamp();
    """)
