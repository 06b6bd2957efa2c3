"""The end of a tenant: scheduled, undone, looked at."""
