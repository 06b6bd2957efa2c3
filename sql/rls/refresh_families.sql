-- A refresh family advances or ends; it never goes back.
alter table insula.refresh_families enable row level security;
alter table insula.refresh_families force row level security;
drop policy if exists tenant_isolation on insula.refresh_families;
create policy tenant_isolation on insula.refresh_families to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.refresh_families;
create policy tenant_wall on insula.refresh_families as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.refresh_families from public, insula_app, insula_platform, insula_definer;
grant select on insula.refresh_families to insula_app;
grant insert (id, client_id, current_hash, dpop_jkt, idle_expires_at, absolute_expires_at, sweep_after)
  on insula.refresh_families to insula_app;
grant update (current_hash, previous_hash, generation, advanced_at, replay_copy, idle_expires_at,
              revoked_at, revoked_for)
  on insula.refresh_families to insula_app, insula_platform;
drop policy if exists sweep on insula.refresh_families;
create policy sweep on insula.refresh_families to insula_definer using (true);
grant select (tenant_id, id, sweep_after, advanced_at, replay_copy), update (sweep_after, replay_copy), delete
  on insula.refresh_families to insula_definer;
