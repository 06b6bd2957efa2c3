-- What lets a program register clients; each use takes one away.
alter table insula.initial_access_tokens enable row level security;
alter table insula.initial_access_tokens force row level security;
drop policy if exists tenant_isolation on insula.initial_access_tokens;
create policy tenant_isolation on insula.initial_access_tokens to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.initial_access_tokens;
create policy tenant_wall on insula.initial_access_tokens as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.initial_access_tokens from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.initial_access_tokens to insula_app, insula_platform;
grant insert (id, token_hash, label, policy, uses_left, expires_at, sweep_after)
  on insula.initial_access_tokens to insula_app, insula_platform;
grant update (uses_left, revoked_at)
  on insula.initial_access_tokens to insula_app, insula_platform;
drop policy if exists sweep on insula.initial_access_tokens;
create policy sweep on insula.initial_access_tokens to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.initial_access_tokens to insula_definer;
