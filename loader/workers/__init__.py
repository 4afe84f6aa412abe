"""Worker processes: started, tested by their examples, watched, replaced, drained."""
