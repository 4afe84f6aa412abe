"""What runs are trained on: which data it is, and where it lies on this machine."""
