"""All that a tenant has decided, as a file."""
