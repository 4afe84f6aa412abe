"""Worker processes: started, proved, watched, replaced, drained."""
