-- A tenant sees its own people.
alter table insula.users enable row level security;
alter table insula.users force row level security;
drop policy if exists tenant_isolation on insula.users;
create policy tenant_isolation on insula.users to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.users;
create policy tenant_wall on insula.users as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.users from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.users to insula_app, insula_platform;
grant insert (id, username, username_norm, email, email_norm, email_verified, given_name, family_name,
              display_name, locale, zoneinfo, phone_number, phone_verified, attributes, status,
              must_change_password, password_hash, password_changed_at)
  on insula.users to insula_app, insula_platform;
grant update (username, username_norm, email, email_norm, email_verified, given_name, family_name,
              display_name, locale, zoneinfo, phone_number, phone_verified, attributes, status, locked_until,
              must_change_password, password_hash, password_changed_at, updated_at, last_login_at)
  on insula.users to insula_app, insula_platform;
