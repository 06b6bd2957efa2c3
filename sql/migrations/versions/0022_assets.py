"""Images that tenants upload, known by what is in them."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("""
        create table insula.assets (
          tenant_id   uuid not null default insula.current_tenant()
                      references insula.tenants on delete cascade,
          id          uuid not null default gen_random_uuid(),
          kind        text not null check (kind in ('logo_light', 'logo_dark', 'logo_icon_light',
                                                    'logo_icon_dark', 'icon_url', 'favicon')),
          media_type  text not null check (media_type in ('image/png', 'image/webp', 'image/svg+xml')),
          digest      bytea not null check (octet_length(digest) = 32),
          image       bytea not null check (octet_length(image) between 1 and 1048576),
          width       integer not null check (width between 1 and 2000),
          height      integer not null check (height between 1 and 2000),
          created_by  text not null default '' check (length(created_by) <= 200),
          created_at  timestamptz not null default now(),
          kept_until timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, digest)
        );
        -- pictures are compressed already
        alter table insula.assets alter column image set storage external;
        create index assets_dead on insula.assets (kept_until);
    """)
