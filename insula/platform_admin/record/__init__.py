"""The record of the platform itself."""
