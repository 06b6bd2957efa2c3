-- Changes of settings that are planned for a later day. The platform's own (scope 'defaults' and
-- 'bounds') are lines of the tenant _platforms. Secrets among them are sealed, as in tenant_settings.
alter table insula.config_plans enable row level security;
alter table insula.config_plans force row level security;
drop policy if exists tenant_isolation on insula.config_plans;
create policy tenant_isolation on insula.config_plans to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.config_plans;
create policy tenant_wall on insula.config_plans as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists lookup on insula.config_plans;
create policy lookup on insula.config_plans for select to insula_definer using (true);
revoke all on insula.config_plans from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.config_plans to insula_app, insula_platform;
grant insert (scope, section, changes, actor, reason, due_at)
  on insula.config_plans to insula_app, insula_platform;
grant update (failed_at, failure) on insula.config_plans to insula_platform;
grant select (tenant_id, id, changes, due_at, failed_at) on insula.config_plans to insula_definer;
