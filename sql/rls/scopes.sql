-- What may be asked for, at an API or about a person.
alter table insula.scopes enable row level security;
alter table insula.scopes force row level security;
drop policy if exists tenant_isolation on insula.scopes;
create policy tenant_isolation on insula.scopes to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.scopes;
create policy tenant_wall on insula.scopes as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.scopes from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.scopes to insula_app, insula_platform;
grant insert (id, resource_server_id, name, title, description, claims)
  on insula.scopes to insula_app, insula_platform;
grant update (title, description, claims)
  on insula.scopes to insula_app, insula_platform;
