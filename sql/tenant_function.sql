-- Needed by the default of every tenant_id, so it comes before the revisions; the other
-- functions name tables and come after them (functions.sql).
--
-- Unbound is null, and null sees nothing. After a transaction that bound it locally the
-- setting is '' for the rest of the session, and ''::uuid would be an error at random.
create or replace function insula.current_tenant() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('insula.tenant_id', true), '')::uuid;
grant execute on function insula.current_tenant() to insula_app, insula_platform, insula_definer;
