"""
How a tenant ends: scheduled, undone within its grace, purged in batches, certified (BEY-6).

Owns    deletions, which outlives its tenants; the section deployment
Serves  nothing; `/platform`, the management API and the CLI call it, the worker purges
Refuses protected tenants, an undo once the purge has begun, and a purge before its time
"""
