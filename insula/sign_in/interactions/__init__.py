"""What a browser is asked to do before it goes back to where it came from."""
