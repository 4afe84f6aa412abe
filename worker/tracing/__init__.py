"""Where requests are traced: spans of what a worker does for them."""
