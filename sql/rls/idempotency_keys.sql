-- Requests that are done once: the key as a digest, the answer sealed.
alter table insula.idempotency_keys enable row level security;
alter table insula.idempotency_keys force row level security;
drop policy if exists tenant_isolation on insula.idempotency_keys;
create policy tenant_isolation on insula.idempotency_keys to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.idempotency_keys;
create policy tenant_wall on insula.idempotency_keys as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
revoke all on insula.idempotency_keys from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.idempotency_keys to insula_app;
grant insert (key_hash, request_hash, expires_at, sweep_after) on insula.idempotency_keys to insula_app;
grant update (request_hash, answer, expires_at, sweep_after) on insula.idempotency_keys to insula_app;
drop policy if exists sweep on insula.idempotency_keys;
create policy sweep on insula.idempotency_keys to insula_definer using (true);
grant select (tenant_id, id, sweep_after), update (sweep_after), delete on insula.idempotency_keys to insula_definer;
