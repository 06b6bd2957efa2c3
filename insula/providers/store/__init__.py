"""
The hot statements of the protocol: each one atomic act, sent in one round trip.

Written as SQL because the statement is the decision (docs/decisions/0005): no row back is
the refusal. The person's row is taken `for share`, so that a redemption that commits after
a lock or a disable sees it (protocol.md section 6). All name `tenant_id` as a second belt.
"""
