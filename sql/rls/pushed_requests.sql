-- Authorization requests that a client pushed, each completed once.
alter table insula.pushed_requests enable row level security;
alter table insula.pushed_requests force row level security;
drop policy if exists tenant_isolation on insula.pushed_requests;
create policy tenant_isolation on insula.pushed_requests to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.pushed_requests;
create policy tenant_wall on insula.pushed_requests as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.pushed_requests from public, insula_app, insula_platform, insula_definer;
grant select on insula.pushed_requests to insula_app;
grant insert (id, request_hash, client_id, parameters, expires_at, sweep_after)
  on insula.pushed_requests to insula_app;
grant update (browser_hash, started_at, completed_at)
  on insula.pushed_requests to insula_app;
drop policy if exists sweep on insula.pushed_requests;
create policy sweep on insula.pushed_requests to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.pushed_requests to insula_definer;
