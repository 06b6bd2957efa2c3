"""A tenant's whole configuration as one document."""
