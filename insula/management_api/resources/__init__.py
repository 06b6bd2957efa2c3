"""APIs of the tenant's own."""
