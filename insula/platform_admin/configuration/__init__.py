"""
Settings as forms: controls made of a section's fields, lines that say where a value comes from.

    controls  one control for each field, and what was typed into it
    lines     a field of a tenant, of what tenants inherit, and of a bound, in words
    changes   what would be saved: before and after, and what that does
"""
