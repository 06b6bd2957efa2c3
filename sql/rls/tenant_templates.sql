-- What new tenants can begin with: the platform's alone, read and written over its door. It holds no
-- secret and no image, and names no tenant.
alter table insula.tenant_templates enable row level security;
alter table insula.tenant_templates force row level security;
drop policy if exists platform_decides on insula.tenant_templates;
create policy platform_decides on insula.tenant_templates to insula_platform using (true) with check (true);
revoke all on insula.tenant_templates from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.tenant_templates to insula_platform;
grant insert (name, version, description, settings, saved_by) on insula.tenant_templates to insula_platform;
