-- The peer's own database. Payloads as in oidc-provider's examples: one table for all models.

create table tenants (
  slug         text primary key,
  keys         jsonb not null,
  clients      jsonb not null,
  cookie_keys  jsonb not null
);

create table accounts (
  tenant        text not null references tenants,
  id            text not null,
  username      text not null,
  email         text not null,
  display_name  text not null,
  primary key (tenant, id),
  unique (tenant, username)
);

create table payloads (
  tenant       text not null,
  model        text not null,
  id           text not null,
  payload      jsonb not null,
  grant_id     text,
  user_code    text,
  uid          text,
  expires_at   timestamptz,
  consumed_at  timestamptz,
  primary key (tenant, model, id)
);
create index on payloads (tenant, grant_id) where grant_id is not null;
create index on payloads (tenant, user_code) where user_code is not null;
create index on payloads (tenant, uid) where uid is not null;
