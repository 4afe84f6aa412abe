"""`pawl events`."""
