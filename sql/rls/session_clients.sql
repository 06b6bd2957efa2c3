-- The clients that a sign-in has reached, and whether they know that it ended.
alter table insula.session_clients enable row level security;
alter table insula.session_clients force row level security;
drop policy if exists tenant_isolation on insula.session_clients;
create policy tenant_isolation on insula.session_clients to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.session_clients;
create policy tenant_wall on insula.session_clients as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.session_clients from public, insula_app, insula_platform, insula_definer;
grant select on insula.session_clients to insula_app, insula_platform;
grant insert (sid, client_id, user_id, sweep_after)
  on insula.session_clients to insula_app;
grant update (announced_at, delivered_at, sweep_after)
  on insula.session_clients to insula_app, insula_platform;
drop policy if exists sweep on insula.session_clients;
create policy sweep on insula.session_clients to insula_definer using (true);
grant select (tenant_id, id, sid, sweep_after), update (sweep_after), delete on insula.session_clients to insula_definer;
