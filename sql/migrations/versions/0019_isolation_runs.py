"""What the probe of the wall between tenants found, run by run."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # Beside the tenants and of none of them. The counts go on from run to run, so that they
    # outlive the runs that leave.
    op.execute("""
        create table insula.isolation_runs (
          id              uuid primary key,
          at              timestamptz not null default now(),
          release         text not null,
          result          text not null check (result in ('passed', 'incomplete', 'failed')),
          cells           integer not null check (cells >= 0),
          failures        jsonb not null, -- cells that showed a row of another tenant
          unproved        text[] not null, -- tables without a row that could have been seen
          failures_so_far bigint not null,
          passed_at       timestamptz, -- when a run passed last, this one among them
          report          text not null -- a JWS of the tenant _platforms
        );
        create index isolation_runs_newest on insula.isolation_runs (at, id);
        create index isolation_runs_failed on insula.isolation_runs (at, id) where result = 'failed';
    """)
