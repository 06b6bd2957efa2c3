-- Every refresh token a family ever had, so that a late replay is recognised.
alter table insula.refresh_generations enable row level security;
alter table insula.refresh_generations force row level security;
drop policy if exists tenant_isolation on insula.refresh_generations;
create policy tenant_isolation on insula.refresh_generations to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.refresh_generations;
create policy tenant_wall on insula.refresh_generations as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.refresh_generations from public, insula_app, insula_platform, insula_definer;
grant select on insula.refresh_generations to insula_app;
grant insert (token_hash, family_id, generation) on insula.refresh_generations to insula_app;
