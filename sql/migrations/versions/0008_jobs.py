"""The queue: procrastinate's own schema, in a schema of its own that the serving role cannot enter."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("set local search_path = insula_jobs, pg_catalog")
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    connection.exec_driver_sql("set local search_path = pg_catalog, public")
