"""The saves of what the platform decides, and the way back."""
