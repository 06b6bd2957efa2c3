-- What a client shows of itself, redrawn.
alter table insula.client_logos enable row level security;
alter table insula.client_logos force row level security;
drop policy if exists tenant_isolation on insula.client_logos;
create policy tenant_isolation on insula.client_logos to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.client_logos;
create policy tenant_wall on insula.client_logos as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.client_logos from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.client_logos to insula_app, insula_platform;
grant insert (client_id, digest, image) on insula.client_logos to insula_app, insula_platform;
