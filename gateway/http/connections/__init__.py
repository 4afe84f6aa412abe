"""Connections of clients: whose turn it is to be answered, and how long is waited for what."""
