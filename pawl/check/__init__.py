"""`pawl check`: what the server would say of a folder, found out by the server's own parts."""
