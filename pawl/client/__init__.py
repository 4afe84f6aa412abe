"""The server that commands ask: where it is, which key it is shown, and what it answers."""
