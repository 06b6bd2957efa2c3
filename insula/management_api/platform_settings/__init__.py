"""What the platform decides for all tenants, its bounds, and each tenant's configuration."""
