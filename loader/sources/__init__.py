"""Where models come from: a git repository, or a local folder."""
