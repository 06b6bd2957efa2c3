"""Figures of the installation, over the platform's own host."""
