"""
Audit: the append-only record of every act, in the transaction of the act.

Owns    audit_events
Serves  nothing yet; tenants and the platform read it on pages of their own
Refuses to hold secrets: metadata is scrubbed by the names of its keys, and cut
"""
