"""
A search among the tenants that need attention: a function and its grant alone.

They are written with every migration. The revision moves so that a server of this release refuses
a database that does not have them yet.
"""

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    pass
