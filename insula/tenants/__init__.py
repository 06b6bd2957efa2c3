"""
Tenants: a tenant's life, from its creation to its suspension, and its login domains.

Owns    tenants; what its login domains own, in `domains`
Serves  nothing but the proofs of domains; operators use the CLI
Refuses reserved and host-unsafe slugs, and to touch the protected tenants' status
"""
