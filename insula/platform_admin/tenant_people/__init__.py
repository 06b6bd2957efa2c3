"""The people of one tenant, and links for those who have no password yet."""
