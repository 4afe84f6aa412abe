"""Where requests are traced: which ones are, and the span of each."""
