"""The author's side of a training run: a child process in the model's own environment."""
