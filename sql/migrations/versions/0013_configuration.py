"""What the platform decides for all tenants, its floors and ceilings, and who saved what when."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        alter table insula.tenant_settings add column marks jsonb not null default '{}'
          check (jsonb_typeof(marks) = 'object');
        create index tenant_settings_by_section on insula.tenant_settings (section, tenant_id);

        -- the platform's, so without a tenant: every tenant reads it, none is shown in it
        create table insula.platform_settings (
          section     text primary key check (section ~ '^[a-z][a-z0-9_.]{0,62}$'),
          value       jsonb not null default '{}' check (jsonb_typeof(value) = 'object'),
          bounds      jsonb not null default '{}' check (jsonb_typeof(bounds) = 'object'),
          marks       jsonb not null default '{}' check (jsonb_typeof(marks) = 'object'),
          bound_marks jsonb not null default '{}' check (jsonb_typeof(bound_marks) = 'object'),
          updated_at  timestamptz not null default now()
        );

        create table insula.config_versions (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          scope      text not null check (scope in ('tenant', 'platform')),
          number     bigint not null check (number > 0),
          at         timestamptz not null default now(),
          act        text not null,
          actor      jsonb not null,
          reason     text not null default '' check (length(reason) <= 500),
          changed    text[] not null,
          snapshot   jsonb not null,
          primary key (tenant_id, id),
          unique (tenant_id, scope, number)
        );
    """)
