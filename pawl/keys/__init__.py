"""`pawl keys` and its commands."""
