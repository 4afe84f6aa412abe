"""`pawl train`: a folder is trained here and now, by the server's own parts."""
