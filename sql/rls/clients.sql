-- A tenant sees its own applications; a client keeps its client_id for life.
alter table insula.clients enable row level security;
alter table insula.clients force row level security;
drop policy if exists tenant_isolation on insula.clients;
create policy tenant_isolation on insula.clients to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.clients;
create policy tenant_wall on insula.clients as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.clients from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.clients to insula_app, insula_platform;
grant insert (id, client_id, name, status, metadata, origin, registration_hash, initial_access_token_id,
  registration_policy)
  on insula.clients to insula_app, insula_platform;
grant update (name, status, paused_at, metadata, verified_at, registration_hash, adopted_at, updated_at)
  on insula.clients to insula_app, insula_platform;
