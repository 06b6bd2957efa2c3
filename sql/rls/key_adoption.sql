-- What applications have been seen to know of a tenant's keys: evidence, never a secret.
alter table insula.key_adoption enable row level security;
alter table insula.key_adoption force row level security;
drop policy if exists tenant_isolation on insula.key_adoption;
create policy tenant_isolation on insula.key_adoption to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.key_adoption;
create policy tenant_wall on insula.key_adoption as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.key_adoption from public, insula_app, insula_platform, insula_definer;
grant select on insula.key_adoption to insula_app, insula_platform;
grant insert (client_id, how, alg, kid, last_seen) on insula.key_adoption to insula_app, insula_platform;
grant update (kid, last_seen) on insula.key_adoption to insula_app, insula_platform;
