-- What was issued from one act; revoking it ends everything that came of it.
alter table insula.token_issues enable row level security;
alter table insula.token_issues force row level security;
drop policy if exists tenant_isolation on insula.token_issues;
create policy tenant_isolation on insula.token_issues to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.token_issues;
create policy tenant_wall on insula.token_issues as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.token_issues from public, insula_app, insula_platform, insula_definer;
grant select on insula.token_issues to insula_app, insula_platform;
grant insert (id, kind, client_id, user_id, session_id, grant_id, session_bound, scopes, claims, resources,
              parent_id, act, auth_time, auth_time_wanted, amr, acr, sweep_after)
  on insula.token_issues to insula_app;
grant update (revoked_at, revoked_for) on insula.token_issues to insula_app, insula_platform;
-- whoever proves themselves again goes on in another session
grant update (session_id) on insula.token_issues to insula_app;
drop policy if exists sweep on insula.token_issues;
create policy sweep on insula.token_issues to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.token_issues to insula_definer;
