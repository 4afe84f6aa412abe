"""What people ask for: written down, then done, then answered."""
