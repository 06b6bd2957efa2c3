-- The registry. A tenant sees its own line and may raise its own version; the platform sees all,
-- by a policy of its own; host lookup and the version poll go through definer functions.
alter table insula.tenants enable row level security;
alter table insula.tenants force row level security;
drop policy if exists own_line on insula.tenants;
create policy own_line on insula.tenants to insula_app
  using (id = (select insula.current_tenant())) with check (id = (select insula.current_tenant()));
drop policy if exists own_wall on insula.tenants;
create policy own_wall on insula.tenants as restrictive to insula_app
  using (id = (select insula.current_tenant())) with check (id = (select insula.current_tenant()));
drop policy if exists all_lines on insula.tenants;
create policy all_lines on insula.tenants to insula_platform using (true) with check (true);
drop policy if exists lookup on insula.tenants;
create policy lookup on insula.tenants for select to insula_definer using (true);
drop policy if exists purge on insula.tenants;
create policy purge on insula.tenants for delete to insula_definer
  using (id in (select d.subject from insula.deletions d
                 where d.started_at is not null and d.finished_at is null));
revoke all on insula.tenants from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenants to insula_app, insula_platform, insula_definer;
grant delete on insula.tenants to insula_definer;
grant update (version, changed_xid) on insula.tenants to insula_app;
grant insert (id, slug, display_name, protected) on insula.tenants to insula_platform;
grant update (display_name, status, access_ended_at, version, changed_xid, updated_at)
  on insula.tenants to insula_platform;
