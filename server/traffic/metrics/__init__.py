"""What `GET /metrics` says."""
