"""Insula: a multi-tenant OpenID Connect identity provider."""

__version__ = "0.1.0"
