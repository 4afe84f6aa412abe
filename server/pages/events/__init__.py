"""What happened, as a page."""
