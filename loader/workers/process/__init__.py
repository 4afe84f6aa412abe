"""One worker's process: started ahead, given its model, listened to, ended."""
