"""Background work of the installation."""
