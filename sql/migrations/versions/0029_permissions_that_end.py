"""
A permission that was taken back stays so: grants alone.

They are written with every migration. The revision moves so that a server of this release refuses
a database that does not have them yet.
"""

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    pass
