"""The people of a tenant, what they prove themselves with, and the roles they hold in it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        create table insula.users (
          tenant_id            uuid not null default insula.current_tenant()
                               references insula.tenants on delete cascade,
          id                   uuid not null default gen_random_uuid(),
          username             text not null check (username <> '' and length(username) <= 120),
          username_norm        text not null,
          email                text check (length(email) <= 254),
          email_norm           text,
          email_verified       boolean not null default false,
          given_name           text,
          family_name          text,
          display_name         text,
          locale               text,
          zoneinfo             text,
          phone_number         text,
          phone_verified       boolean not null default false,
          status               text not null default 'active'
                               check (status in ('active', 'disabled', 'locked')),
          locked_until         timestamptz,
          must_change_password boolean not null default false,
          password_hash        text,
          password_changed_at  timestamptz,
          created_at           timestamptz not null default now(),
          updated_at           timestamptz not null default now(),
          last_login_at        timestamptz,
          primary key (tenant_id, id),
          unique (tenant_id, username_norm),
          unique (tenant_id, email_norm)
        );

        create table insula.user_roles (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          user_id    uuid not null,
          role       text not null
                     check (role in ('user', 'auditor', 'admin', 'superadmin',
                                     'platform_admin', 'platform_viewer')),
          granted_at timestamptz not null default now(),
          primary key (tenant_id, user_id, role),
          foreign key (tenant_id, user_id) references insula.users (tenant_id, id) on delete cascade
        );
        create index user_roles_by_role on insula.user_roles (tenant_id, role, user_id);
    """)
