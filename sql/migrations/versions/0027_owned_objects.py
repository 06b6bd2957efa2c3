"""What documents own of a tenant beside its settings: applications, APIs, scopes and claims."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute(r"""
        create table insula.owned_objects (
          tenant_id uuid not null default insula.current_tenant(),
          id        uuid not null default gen_random_uuid(),
          part      text not null check (part in ('claims', 'apis', 'scopes', 'clients')),
          name      text not null check (length(name) between 1 and 2000),
          owned     jsonb not null check (jsonb_typeof(owned) = 'object'),
          primary key (tenant_id, id),
          unique (tenant_id, part, name),
          foreign key (tenant_id) references insula.tenants (id) on delete cascade
        );
    """)
