"""Training in the daemon: what it takes from the other parts, and what it gives them."""
