"""Attempts as Jobs in a cluster."""
