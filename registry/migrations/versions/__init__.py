"""One module for each step, named for its version: within a major version steps only add."""
