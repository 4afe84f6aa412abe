"""The worker as a process: its channel to the daemon, its exits, its reports."""
