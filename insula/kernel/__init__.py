"""
The kernel: what every package may lean on, and nothing that belongs to one of them.

Owns    clock, ids and secrets, the database pools, the crypto envelope, error families, change
        events, `Section`, logs and metrics
Refuses to grow: a new subject gets a package of its own
"""
