"""What people have allowed applications."""
