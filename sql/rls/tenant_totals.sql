-- How many tenants there are of each status; kept by a trigger, read by the platform.
alter table insula.tenant_totals enable row level security;
alter table insula.tenant_totals force row level security;
drop policy if exists all_lines on insula.tenant_totals;
create policy all_lines on insula.tenant_totals for select to insula_platform using (true);
drop policy if exists counting on insula.tenant_totals;
create policy counting on insula.tenant_totals to insula_definer using (true) with check (true);
revoke all on insula.tenant_totals from public, insula_app, insula_platform, insula_definer;
grant select on insula.tenant_totals to insula_platform;
grant select, update (n) on insula.tenant_totals to insula_definer;
