"""One module for each contender: how it is started, spoken to and set."""
