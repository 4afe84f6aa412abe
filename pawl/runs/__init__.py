"""`pawl runs` and its commands."""
