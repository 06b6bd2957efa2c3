"""Tenants beyond the whole ones: copies of their rows, made by statement as the superuser."""

import psycopg

from bench.installation import Installation

_LINES = """
    insert into insula.tenants (slug, display_name)
    select 'bench-' || lpad(n::text, 6, '0'), 'Bench ' || lpad(n::text, 6, '0')
      from generate_series(%s::int, %s::int) n
"""
#: The rows of one whole tenant, for every tenant that has none.
_ROWS = (
    """
    insert into insula.signing_keys
      (tenant_id, kid, alg, state, public_jwk, sealed, activated_at, due_at)
    select t.id, k.kid, k.alg, k.state, k.public_jwk, k.sealed, k.activated_at, k.due_at
      from bare t join insula.signing_keys k on k.tenant_id = %s
    """,
    """
    insert into insula.users
      (tenant_id, username, username_norm, email, email_norm, display_name)
    select t.id, u.username, u.username_norm, u.username || '@' || t.slug || '.example',
           u.username || '@' || t.slug || '.example', u.display_name
      from bare t join insula.users u on u.tenant_id = %s
    """,
    """
    insert into insula.clients (tenant_id, client_id, name, metadata)
    select t.id, c.client_id, c.name, c.metadata
      from bare t join insula.clients c on c.tenant_id = %s
    """,
    """
    insert into insula.tenant_data_keys (tenant_id, wrapped)
    select t.id, d.wrapped from bare t join insula.tenant_data_keys d on d.tenant_id = %s
    """,
)


def grow(here: Installation, whole: int, size: int) -> None:
    """From *whole* tenants to *size*; nobody can open the keys of these."""
    with psycopg.connect(here.superuser_url) as connection:
        connection.execute(_LINES, (whole, size - 1))
        found = connection.execute("select id from insula.tenants where slug = 'bench-000000'")
        (model,) = found.fetchone() or (None,)
        connection.execute("""
            create temporary table bare on commit drop as
            select id, slug from insula.tenants t
             where slug like 'bench-%' and not exists (select from insula.tenant_data_keys d
                                                        where d.tenant_id = t.id)
        """)
        for statement in _ROWS:
            connection.execute(statement, (model,))
