"""Traffic, the machine, and what depends on it, over time."""
