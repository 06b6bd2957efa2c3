"""
What a tenant has decided for itself, over what the platform decides and what is built in.

Owns    tenant_settings, platform_settings, config_versions, config_plans
Serves  nothing; each domain reads its own section with `service.of`
Refuses values outside a section's limits or the platform's bounds, fields that are not the
        tenant's to decide, a save over somebody else's, and by hand what documents own

    resolution  from what is stored to what holds, and why: pure
    service     reading, and a tenant's saves
    platform    what all tenants inherit, floors and ceilings, and whom a new one would touch
    reach       whom a bound would shut out in the tenants that it moves
    plans       changes that are put into effect on a later day
    sealing     secrets among the values, before they are stored
    secrets     the one way to a secret
    masks       what is shown of one
    ownership   fields that documents own, and their release
    history     the saves of before, and the way back; platform_history for the platform's own
"""
