"""
Tenants by the thousand, for measurements and for development alone.

Each has what a tenant has that was created, with people and clients, by the same rules and through
the same policies; only many are written in one transaction. Key pairs are few and shared: a
hundred thousand RSA keys would take hours. Each tenant seals them under a data key of its own.
"""
