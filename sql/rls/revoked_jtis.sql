-- JWT access tokens that were revoked before they expired.
alter table insula.revoked_jtis enable row level security;
alter table insula.revoked_jtis force row level security;
drop policy if exists tenant_isolation on insula.revoked_jtis;
create policy tenant_isolation on insula.revoked_jtis to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.revoked_jtis;
create policy tenant_wall on insula.revoked_jtis as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.revoked_jtis from public, insula_app, insula_platform, insula_definer;
grant select on insula.revoked_jtis to insula_app;
grant insert (jti_hash, sweep_after) on insula.revoked_jtis to insula_app;
drop policy if exists sweep on insula.revoked_jtis;
create policy sweep on insula.revoked_jtis to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.revoked_jtis to insula_definer;
