-- Claims of a tenant's own, each from an attribute of its people.
alter table insula.claim_mappings enable row level security;
alter table insula.claim_mappings force row level security;
drop policy if exists tenant_isolation on insula.claim_mappings;
create policy tenant_isolation on insula.claim_mappings to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.claim_mappings;
create policy tenant_wall on insula.claim_mappings as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.claim_mappings from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.claim_mappings to insula_app, insula_platform;
grant insert (id, claim, attribute)
  on insula.claim_mappings to insula_app, insula_platform;
grant update (attribute)
  on insula.claim_mappings to insula_app, insula_platform;
