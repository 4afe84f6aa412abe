"""model.yaml: read, bounded, and its faults in words that lead to the line."""
