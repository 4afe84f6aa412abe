"""What was live from when on, and why."""
