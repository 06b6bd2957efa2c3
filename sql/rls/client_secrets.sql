-- Digests of client secrets; a secret is replaced, never changed, only its end is set.
alter table insula.client_secrets enable row level security;
alter table insula.client_secrets force row level security;
drop policy if exists tenant_isolation on insula.client_secrets;
create policy tenant_isolation on insula.client_secrets to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.client_secrets;
create policy tenant_wall on insula.client_secrets as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.client_secrets from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.client_secrets to insula_app, insula_platform;
grant insert (client_id, digest, expires_at) on insula.client_secrets to insula_app, insula_platform;
grant update (expires_at) on insula.client_secrets to insula_app, insula_platform;
