"""The list of tenants, its export, and the form that makes one."""
