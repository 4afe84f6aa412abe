"""The settings: what they are, how they are read, and which were misspelt."""
