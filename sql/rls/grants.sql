-- What a person has allowed a client.
alter table insula.grants enable row level security;
alter table insula.grants force row level security;
drop policy if exists tenant_isolation on insula.grants;
create policy tenant_isolation on insula.grants to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.grants;
create policy tenant_wall on insula.grants as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.grants from public, insula_app, insula_platform, insula_definer;
grant select on insula.grants to insula_app, insula_platform;
grant insert (user_id, client_id, scopes, expires_at) on insula.grants to insula_app;
grant update (scopes, granted_at, expires_at, revoked_at) on insula.grants to insula_app, insula_platform;
-- what was taken back and is allowed again is another permission
grant update (id) on insula.grants to insula_app;
