"""Measurements. Each prints its figures with what they were measured on; none is a test."""
