"""A tenant's own settings, its resource servers, scopes and claims, and clients that register."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        create table insula.tenant_settings (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          section    text not null check (section ~ '^[a-z][a-z0-9_.]{0,62}$'),
          value      jsonb not null check (jsonb_typeof(value) = 'object'),
          updated_at timestamptz not null default now(),
          primary key (tenant_id, section)
        );

        create table insula.resource_servers (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          identifier text not null check (identifier <> '' and length(identifier) <= 500),
          name       text not null check (name <> '' and length(name) <= 120),
          settings   jsonb not null default '{}',
          created_at timestamptz not null default now(),
          updated_at timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id, identifier)
        );

        -- a scope belongs to one resource server, or to the tenant's own claims about a person
        create table insula.scopes (
          tenant_id          uuid not null default insula.current_tenant()
                             references insula.tenants on delete cascade,
          id                 uuid not null default gen_random_uuid(),
          resource_server_id uuid,
          name               text not null check (name <> '' and length(name) <= 200),
          title              text not null default '' check (length(title) <= 120),
          description        text not null default '' check (length(description) <= 300),
          claims             text[] not null default '{}',
          created_at         timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id, name),
          foreign key (tenant_id, resource_server_id)
            references insula.resource_servers (tenant_id, id) on delete cascade
        );
        create index scopes_of_resource_server on insula.scopes (tenant_id, resource_server_id);

        create table insula.claim_mappings (
          tenant_id  uuid not null default insula.current_tenant()
                     references insula.tenants on delete cascade,
          id         uuid not null default gen_random_uuid(),
          claim      text not null check (claim <> '' and length(claim) <= 120),
          attribute  text not null check (attribute <> '' and length(attribute) <= 120),
          created_at timestamptz not null default now(),
          primary key (tenant_id, id),
          unique (tenant_id, claim)
        );

        -- the rarer standard claims of a person, and whatever a tenant keeps about its own
        alter table insula.users
          add column attributes jsonb not null default '{}'
              check (jsonb_typeof(attributes) = 'object' and octet_length(attributes::text) <= 16384);

        create table insula.initial_access_tokens (
          tenant_id   uuid not null default insula.current_tenant()
                      references insula.tenants on delete cascade,
          id          uuid not null default gen_random_uuid(),
          token_hash  bytea not null,
          label       text not null default '' check (length(label) <= 120),
          policy      jsonb not null default '{}',
          uses_left   integer not null check (uses_left >= 0),
          created_at  timestamptz not null default now(),
          expires_at  timestamptz not null,
          revoked_at  timestamptz,
          sweep_after timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, token_hash)
        );
        create index initial_access_tokens_dead on insula.initial_access_tokens (sweep_after);

        -- registration_hash is there as long as the client may manage itself (RFC7592)
        alter table insula.clients
          add column origin text not null default 'administrator'
              check (origin in ('administrator', 'dynamic')),
          add column verified_at timestamptz,
          add column registration_hash bytea,
          add column initial_access_token_id uuid,
          add constraint clients_tenant_id_registration_hash_key unique (tenant_id, registration_hash);
    """)
