"""
Platform administration: the pages from which all tenants are run.

Owns    nothing; it shows what registry, tenants, audit and the pool know
Serves  /platform/*, on the host of `_platforms` and in multi-tenant mode only
Refuses whoever is not signed in as an administrator of the platform, and a viewer's every change
"""
