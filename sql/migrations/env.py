"""Unused by design: `insula.platform.migrations` runs the revisions on a connection of its own."""
