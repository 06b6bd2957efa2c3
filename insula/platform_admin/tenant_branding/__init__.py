"""A tenant's images, and its sign-in page before it is saved."""
