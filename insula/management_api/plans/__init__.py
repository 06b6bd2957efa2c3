"""Changes of settings that wait for their day: looked at, taken back, put into effect."""
