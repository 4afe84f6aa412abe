"""Commits of our own on the followed branch."""
