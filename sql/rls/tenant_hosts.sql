-- Login domains that were proven. A tenant reads its own; the platform gives and takes them, for the
-- tenant it has bound; host lookup goes through a definer function.
alter table insula.tenant_hosts enable row level security;
alter table insula.tenant_hosts force row level security;
drop policy if exists tenant_isolation on insula.tenant_hosts;
create policy tenant_isolation on insula.tenant_hosts to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.tenant_hosts;
create policy tenant_wall on insula.tenant_hosts as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists lookup on insula.tenant_hosts;
create policy lookup on insula.tenant_hosts for select to insula_definer using (true);
revoke all on insula.tenant_hosts from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenant_hosts to insula_app, insula_platform, insula_definer;
grant insert (host, is_primary), update (is_primary, lapsed_at), delete on insula.tenant_hosts to insula_platform;
