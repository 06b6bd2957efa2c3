"""What is planned for a section: looked at with fresh counts, put into effect, taken back."""
