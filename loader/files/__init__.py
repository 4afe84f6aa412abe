"""What a release is made of, and where it lies on disk."""
