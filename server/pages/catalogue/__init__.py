"""The catalogue: all models, those first that need a look."""
