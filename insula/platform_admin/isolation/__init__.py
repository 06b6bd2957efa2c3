"""Whether tenants are apart: what the probe between the canaries found."""
