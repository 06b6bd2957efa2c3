"""
What a tenant has decided for itself, over the built-in defaults of the sections.

Owns    tenant_settings
Serves  nothing; each domain reads its own section out of what is stored
Refuses values outside a section's bounds, and sections that are not the tenant's to decide
"""
