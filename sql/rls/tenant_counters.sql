-- Kept by triggers alone. A tenant sees its own line, the platform sees all.
alter table insula.tenant_counters enable row level security;
alter table insula.tenant_counters force row level security;
drop policy if exists own_line on insula.tenant_counters;
create policy own_line on insula.tenant_counters for select to insula_app
  using (id = (select insula.current_tenant()));
drop policy if exists own_wall on insula.tenant_counters;
create policy own_wall on insula.tenant_counters as restrictive to insula_app
  using (id = (select insula.current_tenant())) with check (id = (select insula.current_tenant()));
drop policy if exists all_lines on insula.tenant_counters;
create policy all_lines on insula.tenant_counters for select to insula_platform using (true);
drop policy if exists counting on insula.tenant_counters;
create policy counting on insula.tenant_counters to insula_definer using (true) with check (true);
revoke all on insula.tenant_counters from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenant_counters to insula_app, insula_platform;
grant select, delete, insert (id), update (users, last_sign_in_at) on insula.tenant_counters to insula_definer;
