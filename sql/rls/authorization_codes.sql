-- A code is written once and spent once.
alter table insula.authorization_codes enable row level security;
alter table insula.authorization_codes force row level security;
drop policy if exists tenant_isolation on insula.authorization_codes;
create policy tenant_isolation on insula.authorization_codes to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.authorization_codes;
create policy tenant_wall on insula.authorization_codes as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.authorization_codes from public, insula_app, insula_platform, insula_definer;
grant select on insula.authorization_codes to insula_app;
grant insert (id, code_hash, client_id, user_id, session_id, grant_id, redirect_uri, code_challenge, nonce,
              scopes, claims, resources, dpop_jkt, auth_time, auth_time_wanted, amr, acr, expires_at,
              sweep_after)
  on insula.authorization_codes to insula_app;
grant update (consumed_at, expires_at, sweep_after) on insula.authorization_codes to insula_app;
drop policy if exists sweep on insula.authorization_codes;
create policy sweep on insula.authorization_codes to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.authorization_codes to insula_definer;
