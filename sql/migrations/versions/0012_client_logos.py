"""Logos of clients, drawn anew from what they registered and served from the tenant's host."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        create table insula.client_logos (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          client_id  uuid not null,
          digest     bytea not null check (octet_length(digest) = 32),
          image      bytea not null check (octet_length(image) <= 262144),
          created_at timestamptz not null default now(),
          primary key (tenant_id, client_id),
          foreign key (tenant_id, client_id) references insula.clients (tenant_id, id) on delete cascade
        );
        create index client_logos_digest on insula.client_logos (tenant_id, digest);
    """)
