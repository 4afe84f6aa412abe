"""Pawl's own form: `{"variables": …}` in JSON, answered with the JSON of what the method returned."""
