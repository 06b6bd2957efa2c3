"""A change of settings may be planned for a later day, and is put into effect then."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    # One for each section: planning again replaces it. The platform's own (scope 'defaults' and
    # 'bounds') are lines of the tenant _platforms, as its versions are.
    op.execute("""
        create table insula.config_plans (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          scope      text not null check (scope in ('tenant', 'defaults', 'bounds')),
          section    text not null check (section <> '' and length(section) <= 64),
          changes    jsonb not null check (jsonb_typeof(changes) = 'object'), -- null takes a field back
          actor      jsonb not null,
          reason     text not null default '' check (length(reason) <= 500),
          planned_at timestamptz not null default now(),
          due_at     timestamptz not null,
          failed_at  timestamptz, -- it could not be put into effect, and waits for somebody
          failure    text not null default '' check (length(failure) <= 500),
          primary key (tenant_id, id),
          unique (tenant_id, scope, section)
        );
        create index config_plans_due on insula.config_plans (due_at) where failed_at is null;
    """)
    # What is planned for all, by 'defaults' and 'bounds', for tenants to see: all but the reason.
    op.execute(
        "alter table insula.platform_settings add column coming jsonb not null default '{}'"
        " check (jsonb_typeof(coming) = 'object')"
    )
