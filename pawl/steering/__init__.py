"""Commands that choose what is live."""
