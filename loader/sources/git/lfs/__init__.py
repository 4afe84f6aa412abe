"""Large files of Git LFS: fetched from their server, kept by their hash."""
