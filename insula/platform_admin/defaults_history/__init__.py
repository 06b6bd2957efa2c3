"""The saves of defaults and bounds, and the way back."""
