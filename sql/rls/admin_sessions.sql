-- A tenant sees the sessions of its own administrators.
alter table insula.admin_sessions enable row level security;
alter table insula.admin_sessions force row level security;
drop policy if exists tenant_isolation on insula.admin_sessions;
create policy tenant_isolation on insula.admin_sessions to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.admin_sessions;
create policy tenant_wall on insula.admin_sessions as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.admin_sessions from public, insula_app, insula_platform, insula_definer;
grant select on insula.admin_sessions to insula_app, insula_platform;
grant insert (id, token_hash, user_id, amr, ip, user_agent, idle_expires_at, absolute_expires_at,
              sweep_after)
  on insula.admin_sessions to insula_app;
grant update (token_hash, proved_at, last_seen_at, idle_expires_at, ended_at, ended_for)
  on insula.admin_sessions to insula_app, insula_platform;
drop policy if exists sweep on insula.admin_sessions;
create policy sweep on insula.admin_sessions to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete
  on insula.admin_sessions to insula_definer;
