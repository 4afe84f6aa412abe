"""Commands that start a server here, and stop it."""
