"""Figures of a tenant."""
