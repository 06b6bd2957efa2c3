-- A tenant's keys: only their phase ever changes.
alter table insula.signing_keys enable row level security;
alter table insula.signing_keys force row level security;
drop policy if exists tenant_isolation on insula.signing_keys;
create policy tenant_isolation on insula.signing_keys to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.signing_keys;
create policy tenant_wall on insula.signing_keys as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.signing_keys from public, insula_app, insula_platform, insula_definer;
grant select on insula.signing_keys to insula_app, insula_platform;
grant insert (kid, alg, state, public_jwk, sealed, activated_at, due_at)
  on insula.signing_keys to insula_app, insula_platform;
grant update (state, published_at, activated_at, retiring_at, retired_at, revoked_at, due_at, sealed,
              planned_at, longest_life, waiting_since, waits_for)
  on insula.signing_keys to insula_app, insula_platform;
drop policy if exists key_phases on insula.signing_keys;
create policy key_phases on insula.signing_keys for select to insula_definer using (true);
drop policy if exists key_plans on insula.signing_keys;
create policy key_plans on insula.signing_keys for update to insula_definer using (true) with check (true);
grant select (tenant_id, kid, alg, state, published_at, activated_at, revoked_at, due_at, planned_at,
              waiting_since, waits_for),
      update (planned_at)
  on insula.signing_keys to insula_definer;
