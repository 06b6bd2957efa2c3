-- What the probe of the wall between tenants found: the platform's alone, and nobody changes it.
-- A report names tables and no tenant but the two canaries.
alter table insula.isolation_runs enable row level security;
alter table insula.isolation_runs force row level security;
drop policy if exists platform_looks on insula.isolation_runs;
create policy platform_looks on insula.isolation_runs to insula_platform using (true) with check (true);
revoke all on insula.isolation_runs from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.isolation_runs to insula_platform;
grant insert (id, release, result, cells, failures, unproved, failures_so_far, passed_at, report)
  on insula.isolation_runs to insula_platform;
