"""How often somebody may be wrong, counted before the secret is looked at."""
