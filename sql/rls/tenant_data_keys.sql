-- A tenant reads its own data key; it is made once, at birth.
alter table insula.tenant_data_keys enable row level security;
alter table insula.tenant_data_keys force row level security;
drop policy if exists tenant_isolation on insula.tenant_data_keys;
create policy tenant_isolation on insula.tenant_data_keys to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.tenant_data_keys;
create policy tenant_wall on insula.tenant_data_keys as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.tenant_data_keys from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenant_data_keys to insula_app, insula_platform;
grant insert (wrapped) on insula.tenant_data_keys to insula_app, insula_platform;
grant update (wrapped) on insula.tenant_data_keys to insula_platform;
