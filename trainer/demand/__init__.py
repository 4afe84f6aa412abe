"""Which runs the head wants, and the folders with the code that they train."""
