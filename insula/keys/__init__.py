"""
Keys: what a tenant signs with, and the phases each key goes through.

Owns    signing_keys, key_adoption
Serves  nothing; the JWKS of a tenant is the engine's
Refuses to hand out a private key by any way: they are sealed at rest and opened for signing only
"""
