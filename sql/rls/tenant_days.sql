-- What happened how often on which day, for charts and statistics; swept after ninety days.
alter table insula.tenant_days enable row level security;
alter table insula.tenant_days force row level security;
drop policy if exists tenant_isolation on insula.tenant_days;
create policy tenant_isolation on insula.tenant_days to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.tenant_days;
create policy tenant_wall on insula.tenant_days as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.tenant_days from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenant_days to insula_app, insula_platform;
grant insert (client_id, day, what, n, last_at, sweep_after) on insula.tenant_days
  to insula_app, insula_platform;
grant update (n, last_at) on insula.tenant_days to insula_app, insula_platform;
drop policy if exists sweep on insula.tenant_days;
create policy sweep on insula.tenant_days to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.tenant_days to insula_definer;
