-- A tenant sees the links of its own people; the platform makes those of a tenant's first.
alter table insula.activation_links enable row level security;
alter table insula.activation_links force row level security;
drop policy if exists tenant_isolation on insula.activation_links;
create policy tenant_isolation on insula.activation_links to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.activation_links;
create policy tenant_wall on insula.activation_links as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.activation_links from public, insula_app, insula_platform, insula_definer;
grant select on insula.activation_links to insula_app, insula_platform;
grant insert (id, token_hash, user_id, mailed, expires_at, sweep_after)
  on insula.activation_links to insula_app, insula_platform;
grant update (used_at, ended_at, ended_for) on insula.activation_links to insula_app, insula_platform;
drop policy if exists sweep on insula.activation_links;
create policy sweep on insula.activation_links to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete
  on insula.activation_links to insula_definer;
