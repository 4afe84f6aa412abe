"""The pages by which people hand a model's folder in, and take it away."""
