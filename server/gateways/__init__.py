"""The gateway processes as the daemon sees them: started, told the routes, replaced."""
