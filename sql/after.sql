-- Last: what needs functions and policies to be in place.
select insula.ensure_partitions(3);
grant select on insula.schema_version to insula_app, insula_platform;
