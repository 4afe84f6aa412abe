"""The loop that takes requests, runs them and sends their answers."""
