"""What the project is looked after with; nothing of it is installed."""
