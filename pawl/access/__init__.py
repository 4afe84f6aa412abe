"""`pawl login`."""
