"""Tenants that somebody keeps at hand: a star on a tenant, and who has one above the list."""
