"""The applications of a tenant and their secrets."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        create table insula.clients (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          client_id  text not null check (client_id <> '' and length(client_id) <= 120),
          name       text not null check (name <> '' and length(name) <= 120),
          status     text not null default 'active' check (status in ('active', 'inactive')),
          metadata   jsonb not null default '{}',
          created_at timestamptz not null default now(),
          updated_at timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id, client_id)
        );

        create table insula.client_secrets (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          client_id  uuid not null,
          digest     bytea not null,
          created_at timestamptz not null default now(),
          expires_at timestamptz,
          primary key (tenant_id, id),
          unique (tenant_id, digest),
          foreign key (tenant_id, client_id) references insula.clients (tenant_id, id) on delete cascade
        );
        create index client_secrets_of_client on insula.client_secrets (tenant_id, client_id);
    """)
