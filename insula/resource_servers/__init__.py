"""
The APIs of a tenant, the scopes that are asked of them, and the claims that are told of people.

Owns    resource_servers, scopes, claim_mappings
Serves  nothing; the engine knows an API as `oidc.models.ResourceServer`, which this package fills
Refuses an API under the issuer's own name, and claims and scopes that mean something already
"""
