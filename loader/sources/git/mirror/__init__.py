"""The bare mirror of the followed repository: fetched, mended, maintained, read."""
