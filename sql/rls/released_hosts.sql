-- Domains that rest before another tenant may have them: digests, the platform's alone. A trigger
-- writes them, whatever it was that took the domain away.
alter table insula.released_hosts enable row level security;
alter table insula.released_hosts force row level security;
drop policy if exists platform_looks on insula.released_hosts;
create policy platform_looks on insula.released_hosts to insula_platform using (true) with check (true);
drop policy if exists notes on insula.released_hosts;
create policy notes on insula.released_hosts to insula_definer using (true) with check (true);
revoke all on insula.released_hosts from public, insula_app, insula_platform, insula_definer;
grant select, delete on insula.released_hosts to insula_platform;
grant select, insert, update on insula.released_hosts to insula_definer;
