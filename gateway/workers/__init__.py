"""Connections to the workers that a gateway passes requests to."""
