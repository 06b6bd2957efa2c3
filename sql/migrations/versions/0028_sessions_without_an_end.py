"""
Sessions without an end, and purges beside other work: functions, triggers and grants alone.

They are written with every migration. The revision moves so that a server of this release refuses
a database that does not have them yet.
"""

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    pass
