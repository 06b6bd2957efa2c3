-- How a tenant proves its login domains. The platform writes, for the tenant it has bound; a
-- tenant's own host serves the file of a proof, so its role may look.
alter table insula.host_proofs enable row level security;
alter table insula.host_proofs force row level security;
drop policy if exists tenant_isolation on insula.host_proofs;
create policy tenant_isolation on insula.host_proofs to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.host_proofs;
create policy tenant_wall on insula.host_proofs as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists lookup on insula.host_proofs;
create policy lookup on insula.host_proofs for select to insula_definer using (true);
revoke all on insula.host_proofs from public, insula_app, insula_platform, insula_definer;
grant select on insula.host_proofs to insula_app, insula_platform, insula_definer;
grant insert (host, method, token, primary_wanted, proven_by, proven_at, override_reason), delete
  on insula.host_proofs to insula_platform;
grant update (primary_wanted, proven_by, proven_at, override_reason, checked_at, found, failures, silences)
  on insula.host_proofs to insula_platform;
