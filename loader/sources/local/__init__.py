"""A local folder as the place that models come from."""
