"""Commands that look at models: what is live, which versions there are, what they print and answer."""
