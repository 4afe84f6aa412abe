"""A git repository as the place that models come from."""
