-- Who holds which tenant role.
alter table insula.user_roles enable row level security;
alter table insula.user_roles force row level security;
drop policy if exists tenant_isolation on insula.user_roles;
create policy tenant_isolation on insula.user_roles to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.user_roles;
create policy tenant_wall on insula.user_roles as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.user_roles from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.user_roles to insula_app, insula_platform;
grant insert (user_id, role) on insula.user_roles to insula_app, insula_platform;
