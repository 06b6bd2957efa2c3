"""A tenant's signing keys."""
