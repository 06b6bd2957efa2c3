-- Login transactions: a validated request waiting for a person.
alter table insula.interactions enable row level security;
alter table insula.interactions force row level security;
drop policy if exists tenant_isolation on insula.interactions;
create policy tenant_isolation on insula.interactions to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.interactions;
create policy tenant_wall on insula.interactions as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.interactions from public, insula_app, insula_platform, insula_definer;
grant select on insula.interactions to insula_app;
grant insert (id, browser_hash, kind, client_id, parameters, prompt, step_expires_at, expires_at, sweep_after)
  on insula.interactions to insula_app;
grant update (prompt, session_id, authenticated_at, selected_at, consented, consented_by, denied_at, completed_at,
              step_expires_at)
  on insula.interactions to insula_app;
drop policy if exists sweep on insula.interactions;
create policy sweep on insula.interactions to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.interactions to insula_definer;
