-- The catalogue gate (security.md 3.3): run by the owner after migrating, in the tests and at
-- deployment. Each query names what is open; each must return no row. Exceptions are rows with a
-- reason, in insula.gate_exceptions (b, c, l) and insula.definer_allow_list (e); the others have none.
--
-- Run it with `psql -f`, or query by query: each begins with its letter and what it looks for.

-- Names come out qualified, and expressions as the queries below spell them.
set search_path = pg_catalog;

-- a: tenant tables where a serving role is not held by enabled, forced policies and a wall
select c.oid::regclass::text as object, role.rolname as detail
  from pg_class c
 cross join pg_roles role
 where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
   and role.rolname in ('insula_app', 'insula_platform')
   and exists (select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
   and not (c.relrowsecurity and c.relforcerowsecurity
            and exists (select from pg_policy p
                         where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*'
                           and (role.oid = any (p.polroles) or p.polroles = '{0}')
                           and array[pg_get_expr(p.polqual, p.polrelid),
                                     pg_get_expr(p.polwithcheck, p.polrelid)]
                               = array_fill('(tenant_id = ( SELECT insula.current_tenant() AS current_tenant))'::text,
                                            array[2])));

-- b: policies that call the tenant function bare, once for each row
select p.polrelid::regclass::text || ' ' || p.polname as object, p.used as detail
  from (select *, coalesce(pg_get_expr(polqual, polrelid), '') || ' '
                  || coalesce(pg_get_expr(polwithcheck, polrelid), '') as used
          from pg_policy) p
 where replace(p.used, '( SELECT insula.current_tenant() AS current_tenant)', '')
       ~ 'current_(tenant|setting)'
   and p.polrelid::regclass::text || ' ' || p.polname
       not in (select e.object from insula.gate_exceptions e);

-- c1: indexes of tenant tables that do not begin with tenant_id
select i.indexrelid::regclass::text as object, pg_get_indexdef(i.indexrelid) as detail
  from pg_index i
  join pg_class c on c.oid = i.indrelid
 where c.relnamespace = 'insula'::regnamespace
   and exists (select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
   and (select a.attname from pg_attribute a
         where a.attrelid = c.oid and a.attnum = i.indkey[0]) is distinct from 'tenant_id'
   and i.indexrelid::regclass::text not in (select e.object from insula.gate_exceptions e);

-- c2: references between tenant tables that do not carry the tenant from one side to the other
select k.conrelid::regclass::text || ' ' || k.conname as object, pg_get_constraintdef(k.oid) as detail
  from pg_constraint k
 where k.contype = 'f' and k.connamespace = 'insula'::regnamespace
   and exists (select from pg_attribute a
                where a.attrelid = k.confrelid and a.attname = 'tenant_id' and not a.attisdropped)
   and not exists (
         select from unnest(k.conkey, k.confkey) pair (mine, theirs)
           join pg_attribute m on m.attrelid = k.conrelid and m.attnum = pair.mine
           join pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.theirs
          where m.attname = 'tenant_id' and t.attname = 'tenant_id')
   and k.conrelid::regclass::text || ' ' || k.conname
       not in (select e.object from insula.gate_exceptions e);

-- d: views that run as their owner
select c.oid::regclass::text as object, 'security_invoker is off' as detail
  from pg_class c
 where c.relnamespace = 'insula'::regnamespace and c.relkind = 'v'
   and not coalesce(c.reloptions, '{}') && array['security_invoker=true', 'security_invoker=on'];

-- e: definer functions outside the allow-list, and entries of the list that name nothing
select p.oid::regprocedure::text as object, 'runs as ' || p.proowner::regrole as detail
  from pg_proc p
 where p.prosecdef
   and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
   and p.oid::regprocedure::text not in (select l.signature from insula.definer_allow_list l)
union all
select l.signature, 'there is no such function'
  from insula.definer_allow_list l
 where to_regprocedure(l.signature) is null;

-- f: a serving role that is too strong, owns something, or holds more than rows
select r.rolname::text as object, 'superuser or BYPASSRLS' as detail
  from pg_roles r
 where r.rolname in ('insula_app', 'insula_platform', 'insula_definer') and (r.rolsuper or r.rolbypassrls)
union all
select m.member::regrole::text, 'is a member of ' || m.roleid::regrole
  from pg_auth_members m
 where m.member::regrole::text in ('insula_app', 'insula_platform', 'insula_definer')
union all
select c.oid::regclass::text, 'belongs to ' || c.relowner::regrole
  from pg_class c
 where c.relowner::regrole::text in ('insula_app', 'insula_platform')
union all
select c.oid::regclass::text, g.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC')
  from pg_class c
 cross join lateral aclexplode(c.relacl) g
  left join pg_roles r on r.oid = g.grantee
 where c.relnamespace = 'insula'::regnamespace
   and (g.grantee = 0
        or r.rolname in ('insula_app', 'insula_platform')
           and g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE'));

-- g: materialised views, and partitions or children that can be reached directly
select c.oid::regclass::text as object, 'cannot have policies' as detail
  from pg_class c
 where c.relnamespace = 'insula'::regnamespace and c.relkind = 'm'
union all
select i.inhrelid::regclass::text, 'is open to ' || role.rolname
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f')
 cross join pg_roles role
 where role.rolname in ('insula_app', 'insula_platform')
   and (has_table_privilege(role.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
        or has_any_column_privilege(role.oid, c.oid, 'SELECT, INSERT, UPDATE'));

-- i: a serving role may name the tenant of a row that it writes
select c.oid::regclass::text as object, role.rolname as detail
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
 cross join pg_roles role
 where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
   and role.rolname in ('insula_app', 'insula_platform')
   and has_column_privilege(role.oid, c.oid, a.attnum, 'INSERT, UPDATE');

-- j: a tenant_id that is not the bound tenant's by default, or that may be missing
select c.oid::regclass::text as object,
       concat_ws(' ', a.atttypid::regtype, case when a.attnotnull then 'not null' end,
                 'default ' || pg_get_expr(d.adbin, d.adrelid)) as detail
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
 where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
   and not (a.atttypid = 'uuid'::regtype and a.attnotnull
            and coalesce(pg_get_expr(d.adbin, d.adrelid), '') = 'insula.current_tenant()');

-- k: definer functions without a search_path of their own, or that do not run as insula_definer
select p.oid::regprocedure::text as object,
       'runs as ' || p.proowner::regrole || coalesce(', ' || array_to_string(p.proconfig, ' '), '') as detail
  from pg_proc p
 where p.prosecdef
   and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
   and not (p.proowner::regrole::text = 'insula_definer'
            and exists (select from unnest(p.proconfig) setting where setting ~ '^search_path=.*pg_temp$'));

-- l: tables without a tenant that a serving role may touch and no policy guards
select c.oid::regclass::text as object, role.rolname as detail
  from pg_class c
 cross join pg_roles role
 where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
   and role.rolname in ('insula_app', 'insula_platform')
   and not exists (select from pg_attribute a
                    where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
   and has_any_column_privilege(role.oid, c.oid, 'SELECT, INSERT, UPDATE')
   and not (c.relrowsecurity and c.relforcerowsecurity)
   and c.oid::regclass::text not in (select e.object from insula.gate_exceptions e);
