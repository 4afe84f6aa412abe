"""What people see of a server in their browsers."""
