"""Training runs as values, and their states."""
