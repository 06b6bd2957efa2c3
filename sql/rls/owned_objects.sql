-- Which objects of a tenant its documents own; who may change them by hand is asked here.
alter table insula.owned_objects enable row level security;
alter table insula.owned_objects force row level security;
drop policy if exists tenant_isolation on insula.owned_objects;
create policy tenant_isolation on insula.owned_objects to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.owned_objects;
create policy tenant_wall on insula.owned_objects as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.owned_objects from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.owned_objects to insula_app, insula_platform;
grant insert (id, part, name, owned)
  on insula.owned_objects to insula_app, insula_platform;
grant update (owned)
  on insula.owned_objects to insula_app, insula_platform;
