-- What a tenant has decided for itself, a row for each section; *marks* say who and when, by field.
alter table insula.tenant_settings enable row level security;
alter table insula.tenant_settings force row level security;
drop policy if exists tenant_isolation on insula.tenant_settings;
create policy tenant_isolation on insula.tenant_settings to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.tenant_settings;
create policy tenant_wall on insula.tenant_settings as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists lookup on insula.tenant_settings;
create policy lookup on insula.tenant_settings for select to insula_definer using (true);
revoke all on insula.tenant_settings from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.tenant_settings to insula_app, insula_platform;
grant select on insula.tenant_settings to insula_definer;
grant insert (section, value, marks)
  on insula.tenant_settings to insula_app, insula_platform;
grant update (value, marks, updated_at)
  on insula.tenant_settings to insula_app, insula_platform;
