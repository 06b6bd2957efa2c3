-- Counted attempts, by digest of what they were made against.
alter table insula.attempt_counters enable row level security;
alter table insula.attempt_counters force row level security;
drop policy if exists tenant_isolation on insula.attempt_counters;
create policy tenant_isolation on insula.attempt_counters to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.attempt_counters;
create policy tenant_wall on insula.attempt_counters as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.attempt_counters from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.attempt_counters to insula_app;
grant insert (kind, subject, n, window_ends_at, sweep_after) on insula.attempt_counters to insula_app;
grant update (n, window_ends_at, sweep_after) on insula.attempt_counters to insula_app;
drop policy if exists sweep on insula.attempt_counters;
create policy sweep on insula.attempt_counters to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.attempt_counters to insula_definer;
