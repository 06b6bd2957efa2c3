"""The dashboard: what needs attention, then numbers."""
