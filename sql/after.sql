-- Last: what needs functions and policies to be in place.
select insula.ensure_partitions(3);

-- What a deletion takes (functions.sql, purge_rows): in every table of tenants, those there will be
-- too, the rows of a tenant whose deletion has begun, and no others.
do $$
declare
  what regclass;
begin
  for what in
    select c.oid from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format('drop policy if exists purge on %s', what);
    execute format('create policy purge on %s to insula_definer
                      using (tenant_id in (select d.subject from insula.deletions d
                                            where d.started_at is not null and d.finished_at is null))', what);
    execute format('grant select, delete on %s to insula_definer', what);
  end loop;
end
$$;
grant select on insula.schema_version to insula_app, insula_platform;
