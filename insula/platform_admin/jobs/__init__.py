"""Work that waits, runs and was given up, as pages."""
