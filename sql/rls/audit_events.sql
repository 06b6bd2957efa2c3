-- The record: the serving roles add and read, nobody changes or takes away (features.md W10).
-- The table belongs to insula_definer, which alone makes and drops its partitions.
alter table insula.audit_events enable row level security;
alter table insula.audit_events force row level security;
drop policy if exists tenant_isolation on insula.audit_events;
create policy tenant_isolation on insula.audit_events to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
drop policy if exists tenant_wall on insula.audit_events;
create policy tenant_wall on insula.audit_events as restrictive to insula_app, insula_platform
  using (tenant_id = (select insula.current_tenant()))
  with check (tenant_id = (select insula.current_tenant()));
-- Retention (functions.sql, trim_audit): nothing of the last day, whoever asks.
drop policy if exists retention on insula.audit_events;
create policy retention on insula.audit_events to insula_definer using (at < now() - interval '1 day');
revoke all on insula.audit_events from public, insula_app, insula_platform, insula_definer;
grant select on insula.audit_events to insula_app, insula_platform;
grant insert (id, event, status, actor_type, actor_id, on_behalf_of, target_type, target_id, workspace_id,
              ip, user_agent, request_id, metadata)
  on insula.audit_events to insula_app, insula_platform;
grant create on schema insula to insula_definer;
alter table insula.audit_events owner to insula_definer;
