-- The APIs of a tenant.
alter table insula.resource_servers enable row level security;
alter table insula.resource_servers force row level security;
drop policy if exists tenant_isolation on insula.resource_servers;
create policy tenant_isolation on insula.resource_servers to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.resource_servers;
create policy tenant_wall on insula.resource_servers as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.resource_servers from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.resource_servers to insula_app, insula_platform;
grant insert (id, identifier, name, settings)
  on insula.resource_servers to insula_app, insula_platform;
grant update (name, settings, updated_at)
  on insula.resource_servers to insula_app, insula_platform;
