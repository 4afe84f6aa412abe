"""HTTP: the gateway, the admin API, the pages, and the daemon that puts everything together."""
