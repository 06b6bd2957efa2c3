"""What the probe of the wall between tenants found, over the platform's own host."""
