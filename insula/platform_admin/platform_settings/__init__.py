"""What all tenants inherit, and the floors and ceilings of what they decide."""
