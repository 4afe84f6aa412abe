"""Who may do what: keys, sessions, and what browsers say of where a request comes from."""
