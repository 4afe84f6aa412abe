"""The models and repositories that are measured, all made here."""
