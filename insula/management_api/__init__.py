"""
The management API: everything that an administrator's page does, for programs (features.md Z).

Owns    idempotency_keys
Serves  /api/v1/* on every tenant's host; what crosses tenants on the host of `_platforms` alone
Refuses to decide: a route reads, asks a domain's use case, and says what came of it. It looks at
        no cookie, answers no other origin, and takes tokens of the host's own issuer only

Each subject has a package: `routes` and `schemas`. What a route needs (scope, tier, step-up)
stands beside it as `needs(...)`, in the description that programs read; `guard` checks just that.
"""
