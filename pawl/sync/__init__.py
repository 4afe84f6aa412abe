"""`pawl sync`."""
