"""
Providers: the pool of per-tenant engine instances, and what the engine needs of its host.

Owns    the protocol's tables: authorization_codes, token_issues, access_tokens, revoked_jtis,
        refresh_families, refresh_generations
Serves  every tenant's /oauth2/* and /.well-known/*, by handing over that tenant's provider
Refuses to keep state in an instance: dropping one loses nothing
"""
