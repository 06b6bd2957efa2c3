"""
Tenants: a tenant's life, from its creation to its suspension.

Owns    tenants, tenant_hosts (writing; tenancy reads them)
Serves  nothing; operators use the CLI
Refuses reserved and host-unsafe slugs, and to touch the protected tenants' status
"""
