"""What runs in a model's own process. Imports nothing of ours; there it goes by the name `_pawl`."""
