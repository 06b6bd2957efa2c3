"""Acts on a tenant's login domains, each that hurts behind a page that says what it touches."""
