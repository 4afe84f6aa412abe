"""The daemon as a process of its machine: its folder, socket, privileges, and what it leaves behind."""
