-- The security definer functions: the only ways through the wall, each owned by a role that
-- cannot log in, each on the allow-list that the catalogue gate reads, each with a fixed
-- search_path. Applied after the revisions, at every migrate.

grant create on schema insula to insula_definer;

create table if not exists insula.definer_allow_list (
  signature text primary key,
  reason    text not null check (reason <> '')
);
create table if not exists insula.gate_exceptions (
  object text primary key,
  reason text not null check (reason <> '')
);
revoke all on insula.definer_allow_list, insula.gate_exceptions from public, insula_app, insula_platform;

truncate insula.definer_allow_list, insula.gate_exceptions;
insert into insula.definer_allow_list (signature, reason) values
  ('insula.find_tenant(text)', 'host lookup: one named tenant or nothing, before any tenant is bound'),
  ('insula.hosts_of(uuid[])', 'a page of the registry: the custom domains of tenants that the platform lists'),
  ('insula.changes_since(text)', 'version poll: ids and versions of tenants that changed, no data'),
  ('insula.enqueue_job(text,text,jsonb,timestamp with time zone,text)', 'a job is queued in the transaction of the act that causes it'),
  ('insula.ensure_partitions(integer)', 'creates partitions of time-partitioned tables ahead of time'),
  ('insula.drop_old_partitions(text,interval)', 'retention: drops partitions that are wholly past it'),
  ('insula.trim_audit(integer,integer)', 'retention: lines of the record that their tenant keeps no longer, in small batches'),
  ('insula.sweep_expired(text,integer)', 'retention: deletes dead protocol rows of all tenants in small batches'),
  ('insula.forget_replay_copies(integer)', 'retention: the copy of an answer is deleted when its window is over'),
  ('insula.sweep_assets(integer)', 'retention: images that neither a setting, a plan nor a kept version of their tenant names'),
  ('insula.purge_rows(uuid,text,integer)', 'deletion: takes rows of one tenant whose deletion has begun, in small batches'),
  ('insula.purge_estimate(uuid,text,integer)', 'deletion: how many rows of one tenant a table holds, counted so far and no further'),
  ('insula.purge_tenant(uuid)', 'deletion: takes the line of the registry once nothing else is left'),
  ('insula.settings_of_tenants(text,uuid,integer)', 'preview of a bound: what tenants stored of one section, page by page, for the platform alone'),
  ('insula.tenants_that_decide(text,text[])', 'preview of what all inherit: how many tenants have values of their own in its place, a number'),
  ('insula.config_plans_due(integer)', 'planned changes of settings whose time has come: ids of tenants and plans, no data'),
  ('insula.tenants_with_keys_due()', 'key phases: which tenants have a key whose time has come, no data'),
  ('insula.tenants_by_host(text,text,integer)', 'the platform searches tenants by the beginning of a domain, proven or claimed: ids, no data'),
  ('insula.tenants_by_host_among(uuid[],text,text)', 'the platform searches those tenants in which something is wrong by a domain: ids, no data'),
  ('insula.hosts_of_tenants(uuid[])', 'the platform lists a page of tenants with their domains'),
  ('insula.keys_of_tenants(uuid[])', 'the platform lists a page of tenants with their keys: ids and times, no key'),
  ('insula.keys_overdue(integer)', 'the platform warns of keys whose time came and was missed: ids and times, no key'),
  ('insula.tenants_in_need(integer)', 'the platform lists tenants in which something is wrong before others: ids and statuses'),
  ('insula.ailments_of_tenants(uuid[])', 'the platform lists a page of tenants with what is wrong there: names of domains, no key'),
  ('insula.holder_of_host(text)', 'a domain is claimed: which tenant has it, and whether its proof lapsed'),
  ('insula.host_proofs_due(uuid,uuid,integer)', 'proofs are looked at anew: ids of tenants and proofs, no data'),
  ('insula.hosts_in_doubt(integer)', 'the platform warns of domains whose proof fails: their names and whose they are'),
  ('insula.note_released_host()', 'a trigger: a domain that a tenant no longer has rests before another may have it'),
  ('insula.keys_waiting(integer)', 'the platform tells of rotations that wait for applications: ids, names of applications and times, no key'),
  ('insula.keys_coming(integer)', 'the platform tells which rotations are next: ids and times, no key'),
  ('insula.keys_revoked(integer)', 'the platform tells which keys were revoked lately: ids and times, no key'),
  ('insula.plan_keys_anew()', 'a trigger: a tenant that decides about its rotation has its keys looked at'),
  ('insula.count_tenants()', 'a trigger: keeps how many tenants there are of each status'),
  ('insula.move_tenant()', 'a trigger: keeps how many tenants there are of each status'),
  ('insula.count_users()', 'a trigger: keeps how many people a tenant has'),
  ('insula.note_sign_in()', 'a trigger: keeps when somebody last signed in at a tenant'),
  ('insula.forget_reached()', 'a trigger: what a session without an end reached is swept after it');
insert into insula.gate_exceptions (object, reason) values
  ('insula.tenant_hosts_host_key', 'a host belongs to one tenant of all: unique across tenants by nature (security.md R13)'),
  ('insula.tenant_settings_by_section', 'read across tenants by the preview of a bound alone, through a definer function'),
  ('insula.config_plans_due', 'read across tenants by the job that carries plans out alone, through a definer function'),
  ('insula.signing_keys_due', 'read across tenants by the key-phases job alone, through a definer function'),
  ('insula.signing_keys_unplanned', 'as signing_keys_due'),
  ('insula.signing_keys_waiting', 'read across tenants by a page of the platform, through a definer function'),
  ('insula.signing_keys_revoked', 'as signing_keys_waiting'),
  ('insula.authorization_codes_dead', 'sweeps of dead rows run across tenants, through a definer function'),
  ('insula.token_issues_dead', 'as authorization_codes_dead'),
  ('insula.access_tokens_dead', 'as authorization_codes_dead'),
  ('insula.revoked_jtis_dead', 'as authorization_codes_dead'),
  ('insula.refresh_families_dead', 'as authorization_codes_dead'),
  ('insula.refresh_families_copies', 'as authorization_codes_dead'),
  ('insula.sessions_dead', 'as authorization_codes_dead'),
  ('insula.interactions_dead', 'as authorization_codes_dead'),
  ('insula.attempt_counters_dead', 'as authorization_codes_dead'),
  ('insula.initial_access_tokens_dead', 'as authorization_codes_dead'),
  ('insula.pushed_requests_dead', 'as authorization_codes_dead'),
  ('insula.seen_once_dead', 'as authorization_codes_dead'),
  ('insula.device_grants_dead', 'as authorization_codes_dead'),
  ('insula.session_clients_dead', 'as authorization_codes_dead'),
  ('insula.idempotency_keys_dead', 'as authorization_codes_dead'),
  ('insula.admin_sessions_dead', 'as authorization_codes_dead'),
  ('insula.activation_links_dead', 'as authorization_codes_dead'),
  ('insula.assets_dead', 'as authorization_codes_dead'),
  ('insula.tenant_days_dead', 'as authorization_codes_dead'),
  ('insula.tenant_hosts_in_order', 'the platform searches domains of all tenants, through a definer function'),
  ('insula.host_proofs_in_order', 'as tenant_hosts_in_order, for domains that are claimed'),
  ('insula.schema_version', 'the revision of the schema, which belongs to nobody');

-- A tenant by what a request names: 'slug:acme' or 'host:login.acme.example'. One row or none,
-- whatever the reason; never a list. With it comes what it and the platform have decided, and how
-- large the images are that its pages show.
drop function if exists insula.find_tenant(text);
create function insula.find_tenant(wanted text)
  returns table (id uuid, slug text, display_name text, status text, version bigint,
                 hosts text[], primary_host text, settings jsonb, platform_settings jsonb,
                 images jsonb)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select t.id, t.slug, t.display_name, t.status, t.version,
           coalesce((select array_agg(h.host order by h.host) from insula.tenant_hosts h
                      where h.tenant_id = t.id and h.lapsed_at is null), '{}'),
           (select h.host from insula.tenant_hosts h where h.tenant_id = t.id and h.is_primary),
           (select coalesce(jsonb_object_agg(s.section, s.value), '{}') from insula.tenant_settings s
             where s.tenant_id = t.id),
           (select coalesce(jsonb_object_agg(p.section, jsonb_build_object('value', p.value, 'bounds', p.bounds)), '{}')
              from insula.platform_settings p),
           (select coalesce(jsonb_object_agg(encode(a.digest, 'hex'), jsonb_build_array(a.width, a.height)), '{}')
              from insula.tenant_settings s
              cross join lateral jsonb_each_text(s.value) shown
              join insula.assets a on a.tenant_id = s.tenant_id
                                  and shown.value = '/img/' || encode(a.digest, 'hex')
             where s.tenant_id = t.id and s.section = 'branding')
      from insula.tenants t
     where t.id = case
             when wanted like 'slug:%' then (select x.id from insula.tenants x where x.slug = substr(wanted, 6))
             when wanted like 'host:%' then (select h.tenant_id from insula.tenant_hosts h
                                              where h.host = substr(wanted, 6) and h.lapsed_at is null)
           end;
  end;

-- Who has a domain, for whoever claims it. One that lapsed long enough ago may be taken over.
create or replace function insula.holder_of_host(wanted text)
  returns table (tenant_id uuid, lapsed_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select h.tenant_id, h.lapsed_at from insula.tenant_hosts h where h.host = wanted;
  end;

-- Proofs that were last good longer ago than their tenant lets pass, in the order of their ids after
-- a place. One that failed is due until it is good again or has lapsed for thirty days; the word of
-- an operator is not looked at again.
create or replace function insula.host_proofs_due(after_tenant uuid, after_id uuid, batch integer)
  returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select p.tenant_id, p.id
      from insula.host_proofs p
      join insula.tenants t on t.id = p.tenant_id and t.status = 'active'
      join insula.tenant_hosts h on h.tenant_id = p.tenant_id and h.host = p.host
      left join insula.tenant_settings own on own.tenant_id = p.tenant_id and own.section = 'domains'
      left join insula.platform_settings all_of on all_of.section = 'domains'
     where (p.tenant_id, p.id) > (after_tenant, after_id)
       and p.proven_by in ('dns', 'meta', 'file')
       and (h.lapsed_at is null or h.lapsed_at > now() - interval '30 days')
       and p.proven_at < now() - make_interval(days => least(
             coalesce((own.value ->> 'reverify_interval_days')::integer,
                      (all_of.value ->> 'reverify_interval_days')::integer, 30),
             coalesce((all_of.bounds ->> 'reverify_interval_days')::integer, 365)))
     order by p.tenant_id, p.id limit least(greatest(batch, 1), 100);
  end;

create or replace function insula.hosts_in_doubt(most integer)
  returns table (slug text, host text, is_primary boolean, lapsed_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select t.slug, h.host, h.is_primary, h.lapsed_at
      from insula.host_proofs p
      join insula.tenants t on t.id = p.tenant_id and t.status = 'active'
      join insula.tenant_hosts h on h.tenant_id = p.tenant_id and h.host = p.host
     where p.failures > 0
     order by h.is_primary desc, t.slug, h.host limit least(greatest(most, 1), 100);
  end;

create or replace function insula.note_released_host()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into insula.released_hosts (host_digest, former)
  values (sha256(convert_to(old.host, 'UTF8')), old.tenant_id)
  on conflict (host_digest) do update set former = excluded.former, released_at = now();
  return null;
end
$$;
create or replace trigger hosts_go after delete on insula.tenant_hosts
  for each row execute function insula.note_released_host();

-- Custom domains of tenants that a list of the platform shows, without binding each of them.
create or replace function insula.hosts_of(ids uuid[])
  returns table (tenant_id uuid, host text, is_primary boolean, created_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select h.tenant_id, h.host, h.is_primary, h.created_at
      from insula.tenant_hosts h where h.tenant_id = any (ids);
  end;

-- What changed since a mark, and the next mark. A mark is the oldest transaction that was still
-- running: a change is stamped with its transaction's id, so whoever took a number early and
-- commits late is still seen next time. An empty mark asks for a mark only. A mark that lies far
-- back, or ahead as after a restore, tells a gap instead of everything that ever changed.
create or replace function insula.changes_since(mark text)
  returns table (tenant_id uuid, version bigint, next_mark text, gap boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    with here as (
      select pg_snapshot_xmin(pg_current_snapshot()) as now_at, nullif(mark, '')::xid8 as was_at
    ), judged as (
      select now_at, was_at,
             coalesce(was_at > now_at
                      or now_at::text::numeric - was_at::text::numeric > 50000, false) as gap
        from here
    )
    select c.id, c.version, j.now_at::text, j.gap
      from judged j
      left join insula.tenants c on not j.gap and c.changed_xid >= j.was_at;
  end;

-- What tenants stored of one section, in the order of their ids; a page of at most 1,000.
create or replace function insula.settings_of_tenants(wanted text, after uuid, batch integer)
  returns table (tenant_id uuid, slug text, value jsonb)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select s.tenant_id, t.slug, s.value
      from insula.tenant_settings s join insula.tenants t on t.id = s.tenant_id
     where s.section = wanted and (after is null or s.tenant_id > after)
     order by s.tenant_id limit least(greatest(batch, 1), 1000);
  end;

-- How many tenants have stored each of these fields of a section, those of the installation aside.
create or replace function insula.tenants_that_decide(wanted text, fields text[])
  returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select count(*)
      from insula.tenant_settings s join insula.tenants t on t.id = s.tenant_id
     where s.section = wanted and s.value ?& fields and not t.protected;
  end;

-- A table that holds rows of tenants, by its bare name; anything else is refused.
create or replace function insula.tenant_table(what text)
  returns regclass
  language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
declare
  found regclass;
begin
  select c.oid into found
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
   where c.relnamespace = 'insula'::regnamespace and c.relname = what
     and c.relkind in ('r', 'p') and not c.relispartition;
  if found is null then
    raise exception 'not a table of tenants';
  end if;
  return found;
end
$$;

-- A purge and the retention may meet at the same lines of the record, each in an order of its own:
-- neither waits for a line that the other has, nor counts one that is gone.
create or replace function insula.take_turns_at_the_record()
  returns void
  language sql volatile set search_path = pg_catalog, pg_temp
  begin atomic
    select pg_advisory_xact_lock('insula.audit_events'::regclass::oid::integer, 0);
  end;

-- Some rows of a tenant whose deletion has begun and is not paused; how many. The policies `purge`
-- (after.sql) show the definer no other rows.
create or replace function insula.purge_rows(gone uuid, what text, batch integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n integer;
begin
  perform from insula.deletions d join insula.tenants t on t.id = d.subject and t.status = 'deleting'
    where d.subject = gone and d.started_at is not null and d.finished_at is null
      and d.paused_at is null and d.undone_at is null;
  if not found then
    return 0;
  end if;
  if what = 'audit_events' then
    perform insula.take_turns_at_the_record();
  end if;
  -- The tenant is named twice: without the first, a batch looks at every tenant's rows.
  execute format('delete from %1$s x where x.tenant_id = $1 and (x.tableoid, x.ctid) in
                    (select r.tableoid, r.ctid from %1$s r where r.tenant_id = $1 limit $2)',
                 insula.tenant_table(what))
    using gone, least(greatest(batch, 1), 1000);
  get diagnostics n = row_count;
  return n;
end
$$;

create or replace function insula.purge_estimate(gone uuid, what text, most integer)
  returns integer
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n integer;
begin
  execute format('select count(*) from (select from %s r where r.tenant_id = $1 limit $2) counted',
                 insula.tenant_table(what))
    into n using gone, least(greatest(most, 1), 100000);
  return n;
end
$$;

-- The line of the registry, when every table is empty of the tenant; whether it is gone.
create or replace function insula.purge_tenant(gone uuid)
  returns boolean
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  what text;
  n integer;
begin
  for what in
    select c.relname from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format('select count(*) from (select from insula.%I r where r.tenant_id = $1 limit 1) x', what)
      into n using gone;
    if n > 0 then
      return false;
    end if;
  end loop;
  delete from insula.tenants t
   where t.id = gone and t.status = 'deleting' and not t.protected
     and exists (select from insula.deletions d
                  where d.subject = gone and d.started_at is not null and d.finished_at is null);
  get diagnostics n = row_count;
  return n > 0;
end
$$;

-- Which tenants have a key that must be promoted, retired or renewed, and which (a thousand of them)
-- have not been looked at since what decides about the times of their keys was changed: at birth
-- and at a save of their own the mark is -infinity. The minute is for a save of the platform that
-- was still under way.
create or replace function insula.tenants_with_keys_due()
  returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id
      from insula.signing_keys k
      join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
     where k.due_at <= now()
    union
    (select k.tenant_id
       from insula.signing_keys k
       join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
      where k.state = 'active'
        and k.planned_at <= (select coalesce(max(p.updated_at) + interval '1 minute', '-infinity')
                               from insula.platform_settings p
                              where p.section in ('keys.rotation', 'oidc.ttl'))
      order by k.planned_at limit 1000);
  end;

-- Plans whose time has come. A tenant that is not active waits with its own until it is again.
create or replace function insula.config_plans_due(batch integer)
  returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select p.tenant_id, p.id
      from insula.config_plans p
      join insula.tenants t on t.id = p.tenant_id and t.status = 'active'
     where p.due_at <= now() and p.failed_at is null
     order by p.due_at limit least(greatest(batch, 1), 1000);
  end;

-- A tenant decides about the times of its keys: the job looks at them anew.
create or replace function insula.plan_keys_anew()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(new.section, old.section) in ('keys.rotation', 'oidc.ttl') then
    update insula.signing_keys set planned_at = '-infinity'
     where tenant_id = coalesce(new.tenant_id, old.tenant_id) and state = 'active';
  end if;
  return null;
end
$$;
create or replace trigger settings_plan_keys after insert or update or delete on insula.tenant_settings
  for each row execute function insula.plan_keys_anew();

-- Queue a job in the caller's transaction. Arguments are ids only; the tenant is the bound one. The
-- more of a tenant's jobs wait, the later its next one is taken: a tenant that queues ten thousand
-- keeps nobody else waiting.
create or replace function insula.enqueue_job(
    task text, queue text, args jsonb, at timestamptz, queueing_lock text)
  returns bigint
  language plpgsql volatile security definer set search_path = insula_jobs, pg_catalog, pg_temp
as $$
declare
  job_id bigint;
  waiting integer;
begin
  if task !~ '^[a-z_]+\.[a-z_]+$' or queue !~ '^[a-z_]+$' or octet_length(args::text) > 4096 then
    raise exception 'ill-formed job';
  end if;
  select count(*) into waiting
    from (select from procrastinate_jobs j
           where j.status in ('todo', 'doing') and j.args ->> 'tenant_id' = insula.current_tenant()::text
           limit 200) mine;
  insert into procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
  values (queue, task, -waiting, null, queueing_lock,
          args || jsonb_build_object('tenant_id', insula.current_tenant()), at)
  on conflict do nothing
  returning id into job_id;
  return job_id;
end
$$;

-- Queue a notice for each client that these sign-ins reached and that wants to hear of their end
-- (OIDCBCL-2.5). Called in the transaction that ends them, by whoever does; not a definer function.
create or replace function insula.announce_logout(ended uuid[])
  returns bigint
  language sql volatile set search_path = pg_catalog, pg_temp
  begin atomic
    with announced as (
      update insula.session_clients sc
         set announced_at = now(), sweep_after = greatest(sc.sweep_after, now() + interval '2 days')
        from insula.clients c
       where sc.sid = any (ended) and sc.announced_at is null
         and c.tenant_id = sc.tenant_id and c.id = sc.client_id and c.status = 'active'
         and coalesce(c.metadata ->> 'backchannel_logout_uri', '') <> ''
         and (select coalesce((p.bounds ->> 'backchannel_logout')::boolean, true)
                     and coalesce((t.value ->> 'backchannel_logout')::boolean,
                                  (p.value ->> 'backchannel_logout')::boolean, true)
                from (values ('oidc.features')) f (section)
                left join insula.tenant_settings t on t.section = f.section and t.tenant_id = sc.tenant_id
                left join insula.platform_settings p on p.section = f.section)
         and not exists (select from insula.sessions s
                          where s.tenant_id = sc.tenant_id and s.sid = sc.sid and s.ended_at is null
                            and s.idle_expires_at > now() and s.absolute_expires_at > now())
      returning sc.id
    )
    select count(insula.enqueue_job('logout.deliver', 'default',
                                    jsonb_build_object('notice', announced.id), now(), null))
      from announced;
  end;

-- Partitions of every time-partitioned table, by month, some months ahead. A child has its own
-- policies and no grants, since a child that is reached directly obeys only its own (R11).
create or replace function insula.ensure_partitions(months integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  parent text;
  first date;
  child text;
  made integer := 0;
begin
  foreach parent in array array['audit_events'] loop
    for i in 0..least(months, 24) loop
      first := (date_trunc('month', now() at time zone 'utc') + make_interval(months => i))::date;
      child := parent || '_' || to_char(first, 'YYYY_MM');
      if to_regclass('insula.' || child) is null then
        execute format('create table insula.%I partition of insula.%I for values from (%L) to (%L)',
                       child, parent, first || ' 00:00+00', (first + interval '1 month')::date || ' 00:00+00');
        execute format('alter table insula.%I enable row level security', child);
        execute format('alter table insula.%I force row level security', child);
        execute format('create policy tenant_isolation on insula.%I to insula_app, insula_platform
                          using (tenant_id = (select insula.current_tenant()))
                          with check (tenant_id = (select insula.current_tenant()))', child);
        execute format('create policy tenant_wall on insula.%I as restrictive to insula_app, insula_platform
                          using (tenant_id = (select insula.current_tenant()))
                          with check (tenant_id = (select insula.current_tenant()))', child);
        execute format('revoke all on insula.%I from public, insula_app, insula_platform', child);
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end
$$;

create or replace function insula.drop_old_partitions(parent text, older_than interval)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  child record;
  dropped integer := 0;
begin
  if parent not in ('audit_events') or older_than < interval '1 day' then
    raise exception 'not a table with a retention, or no retention';
  end if;
  for child in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = ('insula.' || parent)::regclass
       and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - older_than
  loop
    execute format('drop table insula.%I', child.relname);
    dropped := dropped + 1;
  end loop;
  return dropped;
end
$$;

-- Lines of the record that are older than their tenant keeps them, where that is less than *longest*
-- days, after which they leave by partitions; how many of a batch there were.
create or replace function insula.trim_audit(longest integer, batch integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  whose uuid[];
  times timestamptz[];
  ids uuid[];
begin
  with kept as (
    select t.id, greatest(
             coalesce((own.value ->> 'audit_retention_days')::integer,
                      (all_of.value ->> 'audit_retention_days')::integer, 180),
             coalesce((all_of.bounds ->> 'audit_retention_days')::integer, 1)) as days
      from insula.tenants t
      left join insula.tenant_settings own on own.tenant_id = t.id and own.section = 'logs'
      left join insula.platform_settings all_of on all_of.section = 'logs'
  ), old as (
    select a.tenant_id, a.at, a.id
      from kept k
     cross join lateral (
       select e.tenant_id, e.at, e.id from insula.audit_events e
        where e.tenant_id = k.id and e.at < now() - make_interval(days => k.days)
        limit least(greatest(batch, 1), 1000)
     ) a
     where k.days < longest
     limit least(greatest(batch, 1), 1000)
  )
  select array_agg(old.tenant_id), array_agg(old.at), array_agg(old.id) into whose, times, ids from old;
  -- taken late, since the search goes through every tenant; what a purge has by then is gone anyway
  perform insula.take_turns_at_the_record();
  delete from insula.audit_events x using unnest(whose, times, ids) as old (tenant_id, at, id)
   where x.tenant_id = old.tenant_id and x.at = old.at and x.id = old.id;
  return coalesce(cardinality(ids), 0);
end
$$;

-- Dead rows leave in batches. What a late replay needs to be recognised by stays as long as what
-- it produced could live; the conditions say so for each table.
create or replace function insula.sweep_expired(what text, batch integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  column_name text;
  n integer;
begin
  column_name := case
    when what in ('authorization_codes', 'token_issues', 'access_tokens', 'revoked_jtis',
                  'refresh_families', 'sessions', 'interactions', 'attempt_counters',
                  'initial_access_tokens', 'pushed_requests', 'seen_once', 'device_grants',
                  'session_clients', 'idempotency_keys', 'admin_sessions',
                  'activation_links', 'tenant_days') then 'sweep_after'
    end;
  if column_name is null then
    raise exception 'not a table that is swept';
  end if;
  execute format(
    'delete from insula.%1$I x using (select tenant_id, id from insula.%1$I where sweep_after < now()
       order by sweep_after limit %2$s for update skip locked) d
      where x.tenant_id = d.tenant_id and x.id = d.id', what, least(greatest(batch, 1), 1000));
  get diagnostics n = row_count;
  return n;
end
$$;

-- The copy of a refresh answer outlives its window (at most 60 s) by no more than the job's interval.
create or replace function insula.forget_replay_copies(batch integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n integer;
begin
  update insula.refresh_families f set replay_copy = null
    from (select tenant_id, id from insula.refresh_families
           where replay_copy is not null and advanced_at < now() - interval '60 seconds'
           order by advanced_at limit least(greatest(batch, 1), 1000) for update skip locked) d
   where f.tenant_id = d.tenant_id and f.id = d.id;
  get diagnostics n = row_count;
  return n;
end
$$;

-- Images whose time has come and that nothing of their tenant names any more; the others get more
-- time. How many were looked at. A save that names an image moves its time in its own transaction
-- before it is seen, so an image is not taken from under it.
create or replace function insula.sweep_assets(batch integer)
  returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  n integer;
begin
  with due as (
    select a.tenant_id, a.id, '%/img/' || encode(a.digest, 'hex') || '%' as named
      from insula.assets a where a.kept_until < now()
     order by a.kept_until limit least(greatest(batch, 1), 1000) for update skip locked
  ), judged as (
    select d.tenant_id, d.id,
           exists (select from insula.tenant_settings s
                    where s.tenant_id = d.tenant_id and s.value::text like d.named)
           or exists (select from insula.config_versions v
                       where v.tenant_id = d.tenant_id and v.snapshot::text like d.named)
           or exists (select from insula.config_plans p
                       where p.tenant_id = d.tenant_id and p.changes::text like d.named) as is_named
      from due d
  ), kept as (
    update insula.assets a set kept_until = now() + interval '7 days'
      from judged j where j.is_named and a.tenant_id = j.tenant_id and a.id = j.id
  ), gone as (
    delete from insula.assets a using judged j
     where not j.is_named and a.tenant_id = j.tenant_id and a.id = j.id
  )
  select count(*) into n from judged;
  return n;
end
$$;

-- What the platform's lists show of tenants beside the registry: for a page of them at most, named
-- by id, so that no call grows with the number of tenants.
create or replace function insula.tenants_by_host(low text, high text, most integer)
  returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    (select h.tenant_id from insula.tenant_hosts h
      where h.host collate "C" >= low and h.host collate "C" < high
      order by h.host collate "C" limit least(greatest(most, 1), 1000))
    union
    (select p.tenant_id from insula.host_proofs p
      where p.host collate "C" >= low and p.host collate "C" < high
      order by p.host collate "C" limit least(greatest(most, 1), 1000));
  end;

-- The same among a few that are known: each of them is looked at, so that no limit hides one.
create or replace function insula.tenants_by_host_among(tenants uuid[], low text, high text)
  returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select h.tenant_id from insula.tenant_hosts h
     where h.tenant_id = any (tenants[1:1000])
       and h.host collate "C" >= low and h.host collate "C" < high
    union
    select p.tenant_id from insula.host_proofs p
     where p.tenant_id = any (tenants[1:1000])
       and p.host collate "C" >= low and p.host collate "C" < high;
  end;

create or replace function insula.hosts_of_tenants(tenants uuid[])
  returns table (tenant_id uuid, host text, is_primary boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select h.tenant_id, h.host, h.is_primary from insula.tenant_hosts h
     where h.tenant_id = any (tenants[1:1000]) order by h.host;
  end;

drop function if exists insula.keys_of_tenants(uuid[]);
create function insula.keys_of_tenants(tenants uuid[])
  returns table (tenant_id uuid, kid text, alg text, state text, published_at timestamptz,
                 due_at timestamptz, waiting_since timestamptz, waits_for text[])
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id, k.kid, k.alg, k.state, k.published_at, k.due_at, k.waiting_since, k.waits_for
      from insula.signing_keys k
     where k.tenant_id = any (tenants[1:100]) and k.state in ('next', 'active', 'retiring')
     order by k.alg, k.published_at desc;
  end;

-- Keys whose time came an hour ago and more: the worker looks every minute. The canaries' rotate like
-- any, and are nobody's business.
create or replace function insula.keys_overdue(most integer)
  returns table (tenant_id uuid, slug text, kid text, alg text, state text, due_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id, t.slug, k.kid, k.alg, k.state, k.due_at
      from insula.signing_keys k
      join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
     where k.due_at < now() - interval '1 hour' and t.slug not like '\_canary-%'
     order by k.due_at limit least(greatest(most, 1), 1000);
  end;

-- Tenants in which something is wrong: a domain fails its proof, or a key is late. *most* of each, of
-- keys those that are late longest, so that a worker that stands still makes no long answer.
create or replace function insula.tenants_in_need(most integer)
  returns table (tenant_id uuid, status text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    (select t.id, t.status
       from insula.host_proofs p
       join insula.tenants t on t.id = p.tenant_id and t.status = 'active' and not t.protected
       join insula.tenant_hosts h on h.tenant_id = p.tenant_id and h.host = p.host
      where p.failures > 0
      order by p.tenant_id limit least(greatest(most, 1), 1000))
    union
    (select t.id, t.status
       from insula.signing_keys k
       join insula.tenants t
         on t.id = k.tenant_id and t.status in ('active', 'suspended') and not t.protected
      where k.due_at < now() - interval '1 hour'
      order by k.due_at limit least(greatest(most, 1), 1000));
  end;

-- The same of a page of tenants, by what is wrong: a domain, or no domain where a key is late.
create or replace function insula.ailments_of_tenants(tenants uuid[])
  returns table (tenant_id uuid, host text, is_primary boolean, has_lapsed boolean)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    (select h.tenant_id, h.host, h.is_primary, h.lapsed_at is not null
       from insula.host_proofs p
       join insula.tenants t on t.id = p.tenant_id and t.status = 'active'
       join insula.tenant_hosts h on h.tenant_id = p.tenant_id and h.host = p.host
      where p.tenant_id = any (tenants[1:100]) and p.failures > 0
      order by h.is_primary desc, h.host)
    union all
    (select distinct k.tenant_id, null::text, false, false
       from insula.signing_keys k
       join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
      where k.tenant_id = any (tenants[1:100]) and k.due_at < now() - interval '1 hour');
  end;

-- Published keys that would sign by now if no important application were behind.
create or replace function insula.keys_waiting(most integer)
  returns table (tenant_id uuid, slug text, kid text, alg text, state text, published_at timestamptz,
                 due_at timestamptz, waiting_since timestamptz, waits_for text[])
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id, t.slug, k.kid, k.alg, k.state, k.published_at, k.due_at, k.waiting_since, k.waits_for
      from insula.signing_keys k
      join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
     where k.waiting_since is not null
     order by k.waiting_since limit least(greatest(most, 1), 1000);
  end;

-- The rotations that come next: a key is published, or begins to sign.
create or replace function insula.keys_coming(most integer)
  returns table (tenant_id uuid, slug text, kid text, alg text, state text, due_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id, t.slug, k.kid, k.alg, k.state, k.due_at
      from insula.signing_keys k
      join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
     where k.due_at > now() and k.state in ('next', 'active') and k.waiting_since is null
       and t.slug not like '\_canary-%'
     order by k.due_at limit least(greatest(most, 1), 1000);
  end;

-- Keys that were revoked in the last 30 days, the newest first.
create or replace function insula.keys_revoked(most integer)
  returns table (tenant_id uuid, slug text, kid text, alg text, state text, revoked_at timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  begin atomic
    select k.tenant_id, t.slug, k.kid, k.alg, k.state, k.revoked_at
      from insula.signing_keys k
      join insula.tenants t on t.id = k.tenant_id and t.status in ('active', 'suspended')
     where k.revoked_at > now() - interval '30 days'
     order by k.revoked_at desc limit least(greatest(most, 1), 1000);
  end;

-- Kept counts. What counts rows runs once for a statement, whatever their number; raising a
-- version, which every change does, counts nothing.
create or replace function insula.count_tenants()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- all lines in one order, so that two changes of status cannot wait for each other
  perform from insula.tenant_totals order by status for update;
  update insula.tenant_totals o set n = o.n + case tg_op when 'INSERT' then x.n else -x.n end
    from (select status, count(*) as n from changed where not protected group by status) x
   where o.status = x.status;
  if tg_op = 'INSERT' then
    insert into insula.tenant_counters (id) select id from changed;
    insert into insula.platform_days as d (day, what, n)
      select (now() at time zone 'UTC')::date, 'tenant_made', count(*)
        from changed where not protected having count(*) > 0
      on conflict (day, what) do update set n = d.n + excluded.n;
  else
    delete from insula.tenant_counters where id in (select id from changed);
  end if;
  return null;
end
$$;

create or replace function insula.move_tenant()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform from insula.tenant_totals order by status for update;
  update insula.tenant_totals o set n = o.n + case o.status when new.status then 1 else -1 end
   where o.status in (old.status, new.status);
  return null;
end
$$;

create or replace function insula.count_users()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update insula.tenant_counters c
     set users = c.users + case tg_op when 'INSERT' then x.n else -x.n end
    from (select tenant_id, count(*) as n from changed group by tenant_id) x
   where c.id = x.tenant_id;
  return null;
end
$$;

-- To the next five minutes: a busy tenant's line is not written with every sign-in.
create or replace function insula.note_sign_in()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update insula.tenant_counters c set last_sign_in_at = now()
    from (select distinct tenant_id from added) x
   where c.id = x.tenant_id and c.last_sign_in_at < now() - interval '5 minutes';
  return null;
end
$$;

-- A session without an absolute end is swept a month after it was ended or has rested too long.
create or replace function insula.plan_session_sweep()
  returns trigger
  language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
  new.sweep_after := least(new.idle_expires_at, new.ended_at) + interval '30 days';
  return new;
end
$$;
create or replace trigger sessions_without_end
  before insert or update of idle_expires_at, ended_at on insula.sessions
  for each row when (new.absolute_expires_at = timestamptz 'infinity')
  execute function insula.plan_session_sweep();

-- What it reached is remembered as long as it, or as one that took its place under the same sid,
-- which may have an end: so every session that goes is looked at.
create or replace function insula.forget_reached()
  returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update insula.session_clients sc set sweep_after = now()
    from (select distinct g.tenant_id, g.sid from gone g) g
   where sc.tenant_id = g.tenant_id and sc.sid = g.sid and sc.sweep_after = 'infinity'
     and not exists (select from insula.sessions s where s.tenant_id = g.tenant_id and s.sid = g.sid);
  return null;
end
$$;
create or replace trigger sessions_without_end_go after delete on insula.sessions
  referencing old table as gone for each statement execute function insula.forget_reached();

create or replace trigger tenants_come after insert on insula.tenants
  referencing new table as changed for each statement execute function insula.count_tenants();
create or replace trigger tenants_go after delete on insula.tenants
  referencing old table as changed for each statement execute function insula.count_tenants();
create or replace trigger tenants_move after update of status on insula.tenants
  for each row when (old.status <> new.status and not new.protected)
  execute function insula.move_tenant();
create or replace trigger users_come after insert on insula.users
  referencing new table as changed for each statement execute function insula.count_users();
create or replace trigger users_go after delete on insula.users
  referencing old table as changed for each statement execute function insula.count_users();
create or replace trigger sessions_come after insert on insula.sessions
  referencing new table as added for each statement execute function insula.note_sign_in();
create or replace trigger admin_sessions_come after insert on insula.admin_sessions
  referencing new table as added for each statement execute function insula.note_sign_in();

do $$
declare
  f record;
begin
  for f in select signature from insula.definer_allow_list loop
    execute format('alter function %s owner to insula_definer', f.signature);
    execute format('revoke all on function %s from public', f.signature);
  end loop;
end
$$;
grant execute on function
  insula.find_tenant(text), insula.changes_since(text),
  insula.enqueue_job(text, text, jsonb, timestamptz, text), insula.announce_logout(uuid[])
  to insula_app, insula_platform;
grant execute on function
  insula.ensure_partitions(integer), insula.drop_old_partitions(text, interval),
  insula.trim_audit(integer, integer), insula.sweep_expired(text, integer), insula.forget_replay_copies(integer),
  insula.sweep_assets(integer),
  insula.tenants_with_keys_due(), insula.settings_of_tenants(text, uuid, integer),
  insula.tenants_that_decide(text, text[]),
  insula.config_plans_due(integer),
  insula.purge_rows(uuid, text, integer), insula.purge_estimate(uuid, text, integer),
  insula.purge_tenant(uuid), insula.hosts_of(uuid[]), insula.tenants_by_host(text, text, integer),
  insula.tenants_by_host_among(uuid[], text, text),
  insula.hosts_of_tenants(uuid[]), insula.keys_of_tenants(uuid[]), insula.keys_overdue(integer),
  insula.holder_of_host(text), insula.host_proofs_due(uuid, uuid, integer),
  insula.hosts_in_doubt(integer), insula.keys_waiting(integer), insula.keys_coming(integer),
  insula.keys_revoked(integer), insula.tenants_in_need(integer), insula.ailments_of_tenants(uuid[])
  to insula_platform;
revoke all on function insula.tenant_table(text), insula.take_turns_at_the_record() from public;
grant execute on function insula.tenant_table(text), insula.take_turns_at_the_record()
  to insula_definer;
grant insert, select on insula_jobs.procrastinate_jobs, insula_jobs.procrastinate_events to insula_definer;
grant usage on all sequences in schema insula_jobs to insula_definer;
grant select, insert, update, delete on all tables in schema insula_jobs to insula_platform;
grant usage on all sequences in schema insula_jobs to insula_platform;
grant execute on all functions in schema insula_jobs to insula_platform, insula_definer;
