-- Devices that wait for a person.
alter table insula.device_grants enable row level security;
alter table insula.device_grants force row level security;
drop policy if exists tenant_isolation on insula.device_grants;
create policy tenant_isolation on insula.device_grants to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.device_grants;
create policy tenant_wall on insula.device_grants as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.device_grants from public, insula_app, insula_platform, insula_definer;
grant select on insula.device_grants to insula_app;
grant insert (id, device_code_hash, user_code_hash, client_id, scopes, resources, interval_s, ip, user_agent, expires_at, sweep_after)
  on insula.device_grants to insula_app;
grant update (scopes, status, interval_s, last_polled_at, user_id, session_id, grant_id, auth_time, amr, acr, sweep_after)
  on insula.device_grants to insula_app;
drop policy if exists sweep on insula.device_grants;
create policy sweep on insula.device_grants to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.device_grants to insula_definer;
