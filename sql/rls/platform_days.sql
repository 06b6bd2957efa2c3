-- What happened how often on which day over all tenants: the platform's alone, a few rows a day.
alter table insula.platform_days enable row level security;
alter table insula.platform_days force row level security;
drop policy if exists all_lines on insula.platform_days;
create policy all_lines on insula.platform_days to insula_platform using (true) with check (true);
drop policy if exists counting on insula.platform_days;
create policy counting on insula.platform_days to insula_definer using (true) with check (true);
revoke all on insula.platform_days from public, insula_app, insula_platform, insula_definer;
grant select, insert (day, what, n), update (n) on insula.platform_days to insula_platform;
grant select, insert (day, what, n), update (n) on insula.platform_days to insula_definer;
