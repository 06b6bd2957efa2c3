"""
How many tenants inherit what the platform decides: a function alone.

It is written with every migration. The revision moves so that a server of this release refuses a
database that does not have it yet.
"""

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    pass
