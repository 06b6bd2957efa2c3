"""
Clients: the applications of a tenant.

Owns    clients, client_secrets
Serves  nothing; the engine knows a client as `oidc.models.Client`, which this package fills
Refuses patterns in redirect URIs, dangerous schemes in any URI, and to show a secret twice
"""
