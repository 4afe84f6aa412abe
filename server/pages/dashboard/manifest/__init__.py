"""The form of a model's `model.yaml`."""
