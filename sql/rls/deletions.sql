-- Which tenants are to go, are going and have gone: the platform's alone. The definer's functions
-- read it to know that a tenant's rows may be taken.
alter table insula.deletions enable row level security;
alter table insula.deletions force row level security;
drop policy if exists platform_decides on insula.deletions;
create policy platform_decides on insula.deletions to insula_platform using (true) with check (true);
drop policy if exists lookup on insula.deletions;
create policy lookup on insula.deletions for select to insula_definer using (true);
revoke all on insula.deletions from public, insula_app, insula_platform, insula_definer;
grant select on insula.deletions to insula_platform, insula_definer;
grant insert (subject, slug, display_name, status_before, reason, requested_by, due_at)
  on insula.deletions to insula_platform;
grant update (undone_at, started_at, worked_at, paused_at, finished_at, estimate, deleted, certificate, slug_free_at)
  on insula.deletions to insula_platform;
