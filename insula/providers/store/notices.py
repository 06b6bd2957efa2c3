"""Notices of logout: what is to be told to whom, and whether it was."""

from insula.providers.statements import hot

#: A sign-in that ended, for one client that is to be told.
LOGOUT_NOTICE = hot("""
    select sc.sid, sc.user_id, c.client_id
      from insula.session_clients sc
      join insula.clients c on c.tenant_id = sc.tenant_id and c.id = sc.client_id and c.status = 'active'
     where sc.tenant_id = %(tenant_id)s and sc.id = %(id)s
       and sc.announced_at is not null and sc.delivered_at is null
""")

LOGOUT_DELIVERED = hot("""
    update insula.session_clients sc set delivered_at = now()
     where sc.tenant_id = %(tenant_id)s and sc.id = %(id)s
    returning 1
""")
