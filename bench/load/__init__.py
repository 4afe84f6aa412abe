"""Load generators, and where they ask a running server."""
