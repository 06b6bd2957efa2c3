"""Why a job failed, and how many of a tenant's jobs wait."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("""
        create index procrastinate_jobs_of_tenant
          on insula_jobs.procrastinate_jobs ((args ->> 'tenant_id'))
          where status in ('todo', 'doing');
        create index procrastinate_jobs_by_status on insula_jobs.procrastinate_jobs (status, id);

        create table insula_jobs.job_errors (
          job_id  bigint primary key references insula_jobs.procrastinate_jobs on delete cascade,
          at      timestamptz not null default now(),
          attempt integer not null,
          error   text not null check (length(error) <= 500)
        );
    """)
