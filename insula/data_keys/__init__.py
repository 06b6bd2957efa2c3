"""
The data key of a tenant, with which all that it keeps secret is sealed.

Owns    tenant_data_keys
Serves  nothing
Refuses to work for a tenant without one, and to open one that another master key has wrapped
"""
