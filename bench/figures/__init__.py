"""What was measured, as values, and whether that reaches what Pawl is meant to."""
