"""
Tenancy: which tenant a request is for, and the two doors to that tenant's rows.

Owns    reading of tenants and tenant_hosts, the directory in memory, the tenant of the ASGI scope
Serves  nothing; its middleware stands in front of everything that does
Refuses to guess: a name that is no tenant is 400 or 404, never somebody else's house
"""
