-- Opaque access tokens, by digest.
alter table insula.access_tokens enable row level security;
alter table insula.access_tokens force row level security;
drop policy if exists tenant_isolation on insula.access_tokens;
create policy tenant_isolation on insula.access_tokens to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.access_tokens;
create policy tenant_wall on insula.access_tokens as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.access_tokens from public, insula_app, insula_platform, insula_definer;
grant select on insula.access_tokens to insula_app;
grant insert (token_hash, issue_id, scopes, audience, dpop_jkt, expires_at, sweep_after) on insula.access_tokens to insula_app;
grant update (revoked_at) on insula.access_tokens to insula_app;
drop policy if exists sweep on insula.access_tokens;
create policy sweep on insula.access_tokens to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.access_tokens to insula_definer;
