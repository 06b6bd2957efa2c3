"""Links by which a person chooses a password that nobody else has known."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("""
        create table insula.activation_links (
          tenant_id   uuid not null default insula.current_tenant()
                      references insula.tenants on delete cascade,
          id          uuid not null default gen_random_uuid(),
          token_hash  bytea not null,
          user_id     uuid not null,
          -- nobody but the holder of the address has been given it
          mailed      boolean not null default false,
          created_at  timestamptz not null default now(),
          expires_at  timestamptz not null,
          used_at     timestamptz,
          ended_at    timestamptz,
          ended_for   text,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, token_hash),
          foreign key (tenant_id, user_id) references insula.users (tenant_id, id) on delete cascade
        );
        create index activation_links_of_user on insula.activation_links (tenant_id, user_id);
        create unique index activation_links_live on insula.activation_links (tenant_id, user_id)
         where used_at is null and ended_at is null;
        create index activation_links_dead on insula.activation_links (sweep_after);
    """)
