"""What was measured, as docs/benchmarks.md."""
