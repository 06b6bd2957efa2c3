-- Images that a tenant uploads, drawn anew. What no setting and no kept version refers to leaves
-- through sweep_assets; find_tenant tells the size of those that are shown.
alter table insula.assets enable row level security;
alter table insula.assets force row level security;
drop policy if exists tenant_isolation on insula.assets;
create policy tenant_isolation on insula.assets to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.assets;
create policy tenant_wall on insula.assets as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.assets from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.assets to insula_app, insula_platform;
grant insert (kind, media_type, digest, image, width, height, created_by, kept_until)
  on insula.assets to insula_app, insula_platform;
grant update (kept_until) on insula.assets to insula_app, insula_platform;
drop policy if exists sweep on insula.assets;
create policy sweep on insula.assets to insula_definer using (true);
grant select (tenant_id, id, digest, width, height, kept_until), update (kept_until), delete
  on insula.assets to insula_definer;
