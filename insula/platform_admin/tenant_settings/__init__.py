"""A tenant's configuration, as the platform sees and changes it."""
