"""Models that people hand in by HTTP: each becomes a commit on what is followed."""
