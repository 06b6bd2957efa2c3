-- Values that were used: a second insert finds the first.
alter table insula.seen_once enable row level security;
alter table insula.seen_once force row level security;
drop policy if exists tenant_isolation on insula.seen_once;
create policy tenant_isolation on insula.seen_once to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.seen_once;
create policy tenant_wall on insula.seen_once as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.seen_once from public, insula_app, insula_platform, insula_definer;
grant select on insula.seen_once to insula_app;
grant insert (value_hash, sweep_after)
  on insula.seen_once to insula_app;
drop policy if exists sweep on insula.seen_once;
create policy sweep on insula.seen_once to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.seen_once to insula_definer;
