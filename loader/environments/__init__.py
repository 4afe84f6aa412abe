"""The models' Python environments."""
