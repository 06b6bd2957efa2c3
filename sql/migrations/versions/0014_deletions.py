"""The end of a tenant: what was asked, how far it is, and the certificate of it."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        -- outlives its tenant, so it names it without a reference
        create table insula.deletions (
          id            uuid primary key default gen_random_uuid(),
          subject       uuid not null,
          slug          text not null,
          display_name  text not null,
          status_before text not null,
          reason        text not null default '' check (length(reason) <= 500),
          requested_by  jsonb not null,
          requested_at  timestamptz not null default now(),
          due_at        timestamptz not null,
          undone_at     timestamptz,
          started_at    timestamptz,
          worked_at     timestamptz,
          paused_at     timestamptz,
          finished_at   timestamptz,
          estimate      jsonb not null default '{}',
          deleted       jsonb not null default '{}',
          certificate   text,
          slug_free_at  timestamptz
        );
        create unique index deletions_open on insula.deletions (subject)
          where undone_at is null and finished_at is null;
        create index deletions_due on insula.deletions (due_at)
          where undone_at is null and finished_at is null;
        create index deletions_slug on insula.deletions (slug, requested_at);
        create index deletions_newest on insula.deletions (requested_at, id);
    """)
