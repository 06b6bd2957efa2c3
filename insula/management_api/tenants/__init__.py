"""Tenants, over the platform's own host."""
