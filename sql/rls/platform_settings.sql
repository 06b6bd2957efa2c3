-- What the platform decides for every tenant: read by all, written over the platform's door alone.
-- *coming* tells all what it plans to decide; the plans themselves are lines of config_plans.
-- It holds no secret and names no tenant.
alter table insula.platform_settings enable row level security;
alter table insula.platform_settings force row level security;
drop policy if exists read_by_all on insula.platform_settings;
create policy read_by_all on insula.platform_settings for select to insula_app, insula_definer using (true);
drop policy if exists platform_decides on insula.platform_settings;
create policy platform_decides on insula.platform_settings to insula_platform using (true) with check (true);
revoke all on insula.platform_settings from public, insula_app, insula_platform, insula_definer;
grant select on insula.platform_settings to insula_app, insula_platform, insula_definer;
grant insert (section, value, bounds, marks, bound_marks, coming, updated_at)
  on insula.platform_settings to insula_platform;
grant update (value, bounds, marks, bound_marks, coming, updated_at)
  on insula.platform_settings to insula_platform;
