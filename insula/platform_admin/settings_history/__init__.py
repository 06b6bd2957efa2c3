"""The saves of before, and the way back."""
