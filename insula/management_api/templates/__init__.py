"""What new tenants can begin with."""
