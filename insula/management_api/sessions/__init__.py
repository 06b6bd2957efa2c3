"""Sessions of a tenant's people."""
