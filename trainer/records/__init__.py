"""What is kept of runs: in files while they go on, in the store once they are over."""
