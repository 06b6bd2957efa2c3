"""The applications of a tenant."""
