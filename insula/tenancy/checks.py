"""What must hold before a process may serve tenants (security.md R2)."""

from insula.kernel.db import Database
from insula.kernel.errors import Invalid

# Who the connection is and whom it could become, however long the way; NOINHERIT is no wall,
# since SET ROLE walks through it. Owners are asked of the catalogue, not known by name.
_TOO_STRONG = """
    with recursive held (oid) as (
      select oid from pg_catalog.pg_roles where rolname in (session_user, current_user)
      union
      select m.roleid from held h join pg_catalog.pg_auth_members m on m.member = h.oid
    ), owners (oid) as (
      select nspowner from pg_catalog.pg_namespace where nspname = 'insula'
      union
      select relowner from pg_catalog.pg_class
       where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = 'insula')
    )
    select session_user as connected, r.rolname as held,
           case when r.rolsuper then 'is a superuser'
                when r.rolbypassrls then 'has BYPASSRLS'
                else 'owns what the policies guard' end as why
      from held h join pg_catalog.pg_roles r on r.oid = h.oid
     where r.rolsuper or r.rolbypassrls or r.oid in (select oid from owners)
     order by r.rolname <> session_user, r.rolname
     limit 1
"""


class RoleTooStrong(Invalid):
    """The database role could walk around the policies, so nothing may be served with it."""

    code = "role_too_strong"


async def refuse_strong_role(database: Database) -> None:
    """
    Refuse a serving role that row-level security does not hold, or that can become such a one.

    Raises `RoleTooStrong`, `Unavailable`.
    """
    for row in await database.fetch(_TOO_STRONG):
        through = "" if row.held == row.connected else f" is a member of {row.held}, which"
        raise RoleTooStrong(
            f"The database role {row.connected}{through} {row.why}: row-level security would not "
            "hold. Connect as insula_app and insula_platform, which own and bypass nothing.",
            field="database_url",
        )
