-- Every save of a configuration: what it was after it, who saved, when and why. The platform's own
-- saves (scope 'platform') are lines of the tenant _platforms. The newest fifty are kept.
alter table insula.config_versions enable row level security;
alter table insula.config_versions force row level security;
drop policy if exists tenant_isolation on insula.config_versions;
create policy tenant_isolation on insula.config_versions to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.config_versions;
create policy tenant_wall on insula.config_versions as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.config_versions from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.config_versions to insula_app, insula_platform;
grant insert (scope, number, act, actor, reason, changed, snapshot)
  on insula.config_versions to insula_app, insula_platform;
drop policy if exists lookup on insula.config_versions;
create policy lookup on insula.config_versions for select to insula_definer using (true);
grant select (tenant_id, snapshot) on insula.config_versions to insula_definer;
