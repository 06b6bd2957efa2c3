-- The four roles. Applied at every migrate, by the owner, who must be able to create roles.
-- Passwords and LOGIN of the serving roles are the operator's (docs/how-to/install.md);
-- `insula dev` and the tests set their own.
do $$
begin
  if not exists (select from pg_roles where rolname = 'insula_definer') then
    create role insula_definer nologin noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'insula_app') then
    create role insula_app login noinherit;
  end if;
  if not exists (select from pg_roles where rolname = 'insula_platform') then
    create role insula_platform login noinherit;
  end if;
  -- the owner hands functions and the partitioned tables to insula_definer, so it must be able to
  -- become it; PostgreSQL 16 told SET apart from membership
  if not pg_has_role(current_user, 'insula_definer',
                     case when current_setting('server_version_num')::int >= 160000
                          then 'set' else 'member' end) then
    execute format('grant insula_definer to %I', current_user);
  end if;
end
$$;

-- A stuck statement, a forgotten transaction or a pile-up behind a lock ends by itself (security.md R28).
alter role insula_app set statement_timeout = '15s';
alter role insula_app set idle_in_transaction_session_timeout = '10s';
alter role insula_app set lock_timeout = '2s';
alter role insula_platform set statement_timeout = '30s';
alter role insula_platform set idle_in_transaction_session_timeout = '30s';
alter role insula_platform set lock_timeout = '2s';

create schema if not exists insula;
revoke all on schema insula from public;
grant usage on schema insula to insula_app, insula_platform, insula_definer;
create schema if not exists insula_jobs;
revoke all on schema insula_jobs from public;
grant usage on schema insula_jobs to insula_platform, insula_definer;
