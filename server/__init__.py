"""The daemon, which is the control plane: its parts, its HTTP (the admin API and the pages), and its gateways."""
