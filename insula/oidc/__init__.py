"""
The protocol engine: a whole OpenID provider of one issuer.

Owns    the endpoints under /oauth2 and /.well-known, the grants, what a token says
Serves  /.well-known/openid-configuration, /.well-known/oauth-authorization-server, /oauth2/*
Needs   what `ports` lists: clients, people, tokens and pages, supplied by its host
Refuses to know tenants, SQL, cookies' contents or how a person proves who they are
"""
