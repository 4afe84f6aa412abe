"""The registry's tables, and what can be read from and written to them in a transaction."""
