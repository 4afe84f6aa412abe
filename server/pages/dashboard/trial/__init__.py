"""The form that asks a model."""
