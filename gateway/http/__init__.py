"""HTTP/1.1 to clients: connections, requests, answers, and their bounds."""
