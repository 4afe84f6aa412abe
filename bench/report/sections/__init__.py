"""The parts of docs/benchmarks.md: each makes Markdown of one JSON file."""
