"""From a revision to an artifact: what is to be trained, the process that trains, and what becomes of it."""
