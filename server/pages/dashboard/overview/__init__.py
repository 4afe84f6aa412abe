"""A model's own page: what is live, what is on its way, what failed, and its configuration."""
