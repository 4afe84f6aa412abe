"""A model's training runs, and what each reported."""
