"""Suspending, activating and archiving a tenant, each with a page that says what it does."""
