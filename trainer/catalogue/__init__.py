"""Runs as people see them, and what they ask of them."""
