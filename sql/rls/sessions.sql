-- A tenant sees the sessions of its own people.
alter table insula.sessions enable row level security;
alter table insula.sessions force row level security;
drop policy if exists tenant_isolation on insula.sessions;
create policy tenant_isolation on insula.sessions to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.sessions;
create policy tenant_wall on insula.sessions as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.sessions from public, insula_app, insula_platform, insula_definer;
grant select on insula.sessions to insula_app, insula_platform;
grant insert (id, sid, token_hash, user_id, auth_time, amr, acr, ip, user_agent, idle_expires_at,
              absolute_expires_at, sweep_after)
  on insula.sessions to insula_app;
grant update (last_seen_at, idle_expires_at, ended_at, ended_for) on insula.sessions to insula_app, insula_platform;
drop policy if exists sweep on insula.sessions;
create policy sweep on insula.sessions to insula_definer using (true);
grant select (tenant_id, id, sid, sweep_after), update (sweep_after), delete on insula.sessions to insula_definer;
