"""How the installation runs: keys across tenants, the pool, the deployment."""
