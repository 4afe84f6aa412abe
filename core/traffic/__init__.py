"""What was answered, as values that add up: histograms, buckets of them, and what they are about."""
